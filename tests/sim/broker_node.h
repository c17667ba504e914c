// A simulated broker: the real driver on a simulated disk that takes time, and loses what was not synced when
// it crashes.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "broker/broker.h"
#include "tests/sim/feed_checker.h"
#include "tests/sim/journal_checker.h"
#include "tests/sim/network.h"
#include "tests/support/simulated_disk.h"
#include "tests/support/stepped_disk.h"

namespace cidbus::sim {

// Passes everything on, and shows the checker each record once it is durable.
class WatchedDisk : public Disk {
 public:
  WatchedDisk(DataDirectory directory, JournalChecker& checker)
      : disk_(std::move(directory)), checker_(checker) {}
  void submit(DiskCommand command) override;
  std::optional<DiskCompletion> poll() override;
  [[nodiscard]] int ready_fd() const override { return -1; }
  SteppedDisk& stepped() { return disk_; }

 private:
  SteppedDisk disk_;
  JournalChecker& checker_;
  std::deque<BatchBytes> unsynced_;
};

class BrokerNode : public BrokerEnd, public BrokerPorts, public Log {
 public:
  BrokerNode(Timeline& timeline, Network& network, Prng prng, Durability durability);
  ~BrokerNode() override;

  // Recovers from its disk and takes office. REQUIRES: not running.
  void start();
  // Power is cut: of what was not synced, chance keeps some. REQUIRES: running.
  void crash();
  // kill -9: the process goes, the machine and what it wrote stay.
  void kill();
  [[nodiscard]] bool running() const { return broker_ != nullptr; }
  [[nodiscard]] const StateMachine& state() const { return broker_->state(); }
  [[nodiscard]] const JournalChecker& checker() const { return checker_; }
  [[nodiscard]] const FeedChecker& feed() const { return feed_; }
  [[nodiscard]] std::size_t peers() const { return broker_->peers(); }
  [[nodiscard]] std::uint64_t snapshots() const { return snapshots_; }
  SimulatedDisk& files() { return files_; }

 private:
  void on_frame(ByteView routing_id, ByteView frame) override;
  void on_connection_broke() override;
  SendAnswer send(std::string_view routing_id, ByteView frame) override {
    return network_.send_to_node(routing_id, frame);
  }
  // A broker alone has none to speak to.
  void send_to_broker(group::Seat, group::Channel, ByteView, std::span<const group::SharedBatch>) override {}
  void publish(FeedTopic topic, ByteView frame) override { feed_.on_frame(topic, frame); }
  void write(LogLevel level, std::string_view line) override;

  DataDirectoryOptions directory_options();
  void show_survivors(const Journal& journal);
  void stop();
  void wake();
  void wake_at(Monotonic when);
  void take_turn();
  void drive_disk();

  Timeline& timeline_;
  Network& network_;
  Prng prng_;
  Durability durability_;
  SimulatedDisk files_;
  JournalChecker checker_;
  FeedChecker feed_;
  std::unique_ptr<WatchedDisk> disk_;
  std::unique_ptr<Broker> broker_;
  bool disk_busy_ = false;
  std::uint64_t life_ = 0;  // counts starts, so that events of an earlier life do nothing
  Monotonic next_turn_ = Monotonic::max();
  std::uint64_t snapshots_ = 0;
};

}  // namespace cidbus::sim
