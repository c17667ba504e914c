// A simulated broker: the group's core, a driver of a few lines around it, and a toy state machine: the set
// of submissions applied, with a digest.
//
// The driver does what a real one must: it carries effects out in order, seals what was submitted into a
// batch when the disk is free, applies what is committed, and acknowledges what is applied. It can stand
// still, and its clock can run fast or slow.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "broker/consensus/group.h"
#include "broker/journal/batch_builder.h"
#include "tests/sim/base/broker_network.h"
#include "tests/sim/base/checkers.h"
#include "tests/sim/base/local_clock.h"
#include "tests/sim/group/disk.h"

namespace cidbus::group_sim {

using sim::BrokerNetwork;
using sim::check;
using sim::Checkers;
using sim::CheckFailed;

class SimBroker {
 public:
  struct World {  // what a broker needs of it
    sim::Timeline& timeline;
    BrokerNetwork& network;
    std::function<void(group::Seat, group::Received)> deliver;  // a message to a broker
    Checkers& checkers;
    // Brokers that hold it as durability asks, as far as this leader can know.
    std::function<std::size_t(const SimBroker& leader, const group::LogPosition&)> holders;
    std::function<std::uint64_t(group::Seat)> losses;       // of its journal
    std::function<std::uint64_t(group::Seat)> incarnation;  // of its disk
    std::function<void(group::Seat)> on_office;
    std::function<void(const group::Notice&)> on_notice;
    std::uint64_t snapshot_after = 0;  // records; 0: none are taken
    // Every answer to ELECTION arrives as AYE. Such answers bind nobody: who stands may be wrong, and nothing
    // that is promised may depend on it.
    bool flatters = false;
    std::uint64_t snapshots_installed = 0;
  };

  SimBroker(World& world, group::GroupConfig config, Prng prng);

  // ---- its life
  void start();
  void crash();  // REQUIRES: running
  void pause();
  void resume();
  [[nodiscard]] bool running() const { return group_ != nullptr; }
  [[nodiscard]] bool paused() const { return paused_; }
  // Its state forgets a submission, as if that had never been applied. REQUIRES: running; it has one.
  void corrupt_state();
  // Its clock runs so many thousandths faster.
  void set_clock_rate(int per_mille) { clock_.set_rate(per_mille); }

  // ---- inputs
  void on(group::Input input);
  // True when it took the submission: it is in office.
  bool submit(std::uint64_t submission);
  void ask_read();

  // ---- looking
  [[nodiscard]] const group::Group& group() const { return *group_; }
  [[nodiscard]] SimDisk& disk() { return disk_; }
  [[nodiscard]] bool serving() const { return running() && !paused_ && group_->serving(); }
  [[nodiscard]] LogIndex applied() const { return applied_; }
  [[nodiscard]] const std::unordered_map<std::uint64_t, LogIndex>& state() const { return state_; }
  [[nodiscard]] const group::GroupConfig& config() const { return config_; }
  // What it knows is not what it was told, and has not been replaced since.
  [[nodiscard]] bool corrupt() const { return corrupt_since_ != LogIndex{}; }
  // In office it was told of so many losses of that one's journal.
  [[nodiscard]] std::uint64_t losses_known(std::size_t at) const { return losses_known_[at]; }

 private:
  [[nodiscard]] Monotonic clock() const { return clock_.monotonic(); }
  [[nodiscard]] WallTime wall() const { return {clock().time_since_epoch() / std::chrono::milliseconds(1)}; }
  void step(group::Input input);
  void observe(const group::Received& received);
  void observe(const group::Send& given);
  void carry_out();
  void carry(const group::Effect& effect);
  void send(const group::Send& send);
  void take_office(Epoch epoch);
  void seal();
  void apply();
  void apply(const group::SharedBatch& bytes);
  void apply_submission(const RecordView& record);
  [[nodiscard]] Bytes state_file(const ChainEnd& last) const;
  void load_state(const Bytes& file);
  void take_snapshot_if_due();
  void check();
  void wake_at_deadline();

  World& world_;
  group::GroupConfig config_;
  group::Seat seat_;
  Prng prng_;
  SimDisk disk_;
  sim::LocalClock clock_;
  std::unique_ptr<group::Group> group_;
  group::Effects effects_;
  std::uint64_t life_ = 0;
  bool paused_ = false;
  std::deque<group::Input> while_paused_;
  Monotonic wakes_at_ = Monotonic::max();

  // in office
  std::optional<BatchBuilder> builder_;
  bool sealed_ = false;  // a hand-over is under way: nothing is proposed
  bool batch_at_disk_ = false;
  std::map<std::uint64_t, LogIndex> reads_;  // by round: what they must see

  // the toy state machine
  std::array<std::uint64_t, limits::brokers> losses_known_{};  // by seat
  LogIndex checked_commit_;
  LogIndex applied_;
  ChainEnd applied_end_;
  LogIndex snapshot_at_;      // newest one taken
  LogIndex wanted_snapshot_;  // for another broker; 0: none
  std::uint64_t digest_ = 0;  // of all batches, in their order
  std::uint64_t sum_ = 0;     // of what is in state_
  LogIndex corrupt_since_;    // snapshots of this record, or later ones, are too; 0: it is not
  std::unordered_map<std::uint64_t, LogIndex> state_;
  std::unordered_set<std::uint64_t> mine_;  // submissions that a client of this broker waits for
};

}  // namespace cidbus::group_sim
