// I6: epoch, commit and applied of a broker never decrease while it runs; over its restarts, what it voted
// and acknowledged in is not forgotten: the epoch it comes back with is at least any its disk was told of.
#pragma once

#include <array>

#include "broker/consensus/group.h"
#include "tests/sim/base/check.h"

namespace cidbus::sim {

class Monotone {
 public:
  void on_start(group::Seat seat, Epoch epoch, Epoch persisted) {
    check(epoch >= persisted, "I6 nothing decreases", "broker ", place(seat), " came back in epoch ",
          epoch.value, " after ", persisted.value);
    last_[place(seat)] = {epoch, {}, {}};
  }
  void on_step(group::Seat seat, const group::Group& group, LogIndex applied) {
    Last& last = last_[place(seat)];
    check(group.epoch() >= last.epoch && group.commit() >= last.commit && applied >= last.applied,
          "I6 nothing decreases", "broker ", place(seat), ": epoch ", last.epoch.value, " to ",
          group.epoch().value, ", commit ", last.commit.value, " to ", group.commit().value, ", applied ",
          last.applied.value, " to ", applied.value);
    last = {group.epoch(), group.commit(), applied};
  }

 private:
  struct Last {
    Epoch epoch;
    LogIndex commit;
    LogIndex applied;
  };
  std::array<Last, limits::brokers> last_{};
};

}  // namespace cidbus::sim
