// I5: what a leader calls committed is on disk at a majority (with durability `memory`: received by one).
#pragma once

#include <vector>

#include "shared/core/group_messages.h"
#include "tests/sim/base/check.h"

namespace cidbus::sim {

class HeldByMajority {
 public:
  // `holders`: so many of `members` hold the position in the way that durability asks for.
  static void on_leader_commit(const group::LogPosition& position, std::size_t holders, std::size_t members) {
    check(holders >= members / 2 + 1, "I5 committed is held", "record ", position.index.value, " of epoch ",
          position.epoch.value, " is held by ", holders, " of ", members);
  }
};

}  // namespace cidbus::sim
