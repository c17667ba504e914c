// I10: a broker gives one vote an epoch, over all its lives on one disk.
#pragma once

#include <map>

#include "shared/core/group_messages.h"
#include "tests/sim/base/check.h"

namespace cidbus::sim {

class Votes {
 public:
  void on_vote(group::Seat voter, Epoch epoch, group::Seat candidate) {
    const auto [found, is_new] = votes_.emplace(std::pair(voter, epoch), candidate);
    check(is_new || found->second == candidate, "I10 one vote", "broker ", place(voter), " voted for ",
          place(found->second), " and for ", place(candidate), " in epoch ", epoch.value);
  }

 private:
  std::map<std::pair<group::Seat, Epoch>, group::Seat> votes_;
};

}  // namespace cidbus::sim
