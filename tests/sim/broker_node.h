// A simulated broker: the real driver on a simulated disk that takes time, between nodes and other brokers,
// with clocks of its own. It can die in every way, stand still, and lose its disk.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <bitset>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

#include "broker/broker.h"
#include "tests/sim/base/broker_network.h"
#include "tests/sim/base/local_clock.h"
#include "tests/sim/bus_network.h"
#include "tests/sim/checkers/feed_checker.h"
#include "tests/sim/chronicle.h"
#include "tests/sim/watched_disk.h"
#include "tests/support/simulated_disk.h"

namespace cidbus::sim {

class BrokerNode : public BrokerEnd, public BrokerPorts, public Log {
 public:
  // What a broker asks of the cluster it is in.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual BrokerNode& broker(group::Seat seat) = 0;
    // Brokers that hold it in the way that durability asks for.
    [[nodiscard]] virtual std::size_t holders(const group::LogPosition& position) const = 0;
    virtual void on_office(group::Seat seat) = 0;
    // It has stopped in order, or because its disk failed.
    virtual void on_end(group::Seat seat) = 0;
    virtual void on_publish(group::Seat seat, FeedTopic topic, ByteView frame) = 0;
    // It wants to hear this topic of every other broker.
    virtual void on_follow(group::Seat seat, FeedTopic topic) = 0;
    // Its power was cut while it wrote.
    virtual void on_power_cut(group::Seat seat) = 0;
  };
  struct Ground {
    Timeline& timeline;
    BusNetwork& bus;
    BrokerNetwork& mesh;
    Truths& truths;
    Chronicle& chronicle;
    Owner& owner;
  };

  BrokerNode(const Ground& ground, group::GroupConfig config, Prng prng);
  ~BrokerNode() override;

  // ---- its life
  // Goes on from its disk; false when the disk does not let it. REQUIRES: not running.
  bool start();
  // Power is cut: of what was not synced, chance keeps some. REQUIRES: running.
  void crash();
  // kill -9: the process goes, the machine and what it wrote stay. REQUIRES: running.
  void kill();
  // Asked to stop in order: it hands over and then ends.
  void stop_in_order();
  void pause() { paused_ = running(); }
  void resume();
  [[nodiscard]] bool running() const { return broker_ != nullptr; }
  [[nodiscard]] bool paused() const { return paused_; }

  // ---- from the other brokers
  void on_mesh(const std::shared_ptr<const Bytes>& head, const std::vector<group::SharedBatch>& behind);
  void on_link(group::Seat peer, bool up);
  void hand_over(group::Seat successor);
  void on_peer_feed(const std::shared_ptr<const Bytes>& frame);
  // Somebody subscribes to what begins like this.
  void on_subscription(std::string_view prefix);
  [[nodiscard]] bool follows(FeedTopic topic) const {
    return running() && follows_.test(static_cast<std::size_t>(topic));
  }

  // ---- trouble
  LocalClock& clock() { return clock_; }
  SimulatedDisk& files() { return files_; }
  void set_slow_disk(Duration each) { slow_ = each; }
  void set_hung_disk(bool hung);
  // Within its next writes, after so many operations, power is cut.
  void cut_power_at(std::uint64_t operation);
  // Harms what its disk holds; gives what was done, or nothing. REQUIRES: killed.
  std::string damage(Prng& prng);
  // It has been harmed, and is not whole again; or its folder is new, and nobody has brought it up yet (D4).
  [[nodiscard]] bool damaged();
  // Its state becomes another one behind the journal's back, as by a program that means something else by a
  // record; false when there is nothing to change. REQUIRES: running.
  bool corrupt_state(Prng& prng);
  // And has not been replaced since.
  [[nodiscard]] bool corrupt() const { return corrupt_since_ != LogIndex{}; }
  // Comparing it with others must have shown that by now.
  [[nodiscard]] bool corrupt_for_long() const;

  // ---- looking
  [[nodiscard]] const Broker& broker() const { return *broker_; }
  [[nodiscard]] const StateMachine& state() const { return broker_->state(); }
  [[nodiscard]] const group::Group& group() const { return broker_->group(); }
  [[nodiscard]] const FeedChecker& feed() const { return feed_; }
  [[nodiscard]] group::Seat seat() const { return config_.self(); }
  [[nodiscard]] const std::string& name() const { return config_.at(seat()).name; }
  [[nodiscard]] bool holds(const group::LogPosition& position) const;
  // Its state is the one that all others have after the same record, unless it is known to be corrupt.
  void check_state();

 private:
  void on_frame(ByteView routing_id, ByteView frame) override;
  void on_connection_broke() override;
  SendAnswer send(std::string_view routing_id, ByteView frame) override;
  void send_to_broker(group::Seat to, group::Channel channel, ByteView head,
                      std::span<const group::SharedBatch> behind) override;
  void publish(FeedTopic topic, ByteView frame) override;
  void follow_feeds(FeedTopic topic, bool on) override;
  void write(LogLevel level, std::string_view line) override;

  Result<Recovered> recover_from_disk();
  void subscribe_later();
  void end();
  // Now, or when it is awake again.
  void input(std::function<void()> act);
  void observe();
  void observe_office();
  void observe_applied();
  void wake();
  void wake_at(Monotonic when);
  void take_turn();
  void check_rest();
  [[nodiscard]] bool poll_disk();
  void on_state_installed();
  void drive_disk();
  void finish_step();
  // What comes next is the end of this life, and nothing is done any more.
  void doom(void (Owner::*end)(group::Seat));
  void run_while_alive(Duration delay, std::function<void()> act);

  Ground ground_;
  group::GroupConfig config_;
  Prng prng_;
  LocalClock clock_;
  ByteCount snapshot_after_;  // of journal
  SimulatedDisk files_;
  FeedChecker feed_;
  std::unique_ptr<WatchedDisk> disk_;
  std::unique_ptr<Registry> registry_;  // of the broker, which it outlives
  std::unique_ptr<Broker> broker_;
  std::optional<group::LogWindow> last_log_;  // of the life before
  std::optional<group::LogWindow> lost_log_;  // what its journal held when it was lost, until it has it again
  bool damaged_ = false;
  LogIndex corrupt_since_;  // states after this record, or later ones, are wrong; 0: none is
  DiskIncarnation incarnation_{};
  Epoch persisted_;  // the highest that the disk said it has

  // of this life
  std::uint64_t life_ = 0;  // counts starts and ends, so that events of an earlier life do nothing
  bool paused_ = false;
  bool doomed_ = false;
  bool disk_busy_ = false;
  bool cut_planned_ = false;
  std::deque<std::function<void()>> while_paused_;
  Monotonic next_turn_ = Monotonic::max();
  Monotonic stops_at_ = Monotonic::max();  // by its own clock, at the latest
  Monotonic turns_at_;                     // when its last turn was
  std::bitset<feed_topic_count> follows_;  // of the other brokers' feeds
  int turns_ = 0;                          // at that very moment
  Epoch office_;                           // seen taken
  LogIndex commit_;                        // of its office, seen
  LogIndex applied_;                       // seen

  // trouble
  Duration slow_{};
  bool hung_ = false;
};

}  // namespace cidbus::sim
