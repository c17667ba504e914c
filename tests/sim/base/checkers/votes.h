// I10: a broker gives one vote an epoch, over all its lives on one disk.
#pragma once

#include <array>
#include <map>
#include <tuple>

#include "shared/base/limits/group.h"
#include "shared/core/group_messages.h"
#include "tests/sim/base/check.h"

namespace cidbus::sim {

class Votes {
 public:
  void on_vote(group::Seat voter, Epoch epoch, group::Seat candidate) {
    const auto [found, is_new] = votes_.emplace(std::tuple(voter, disks_[place(voter)], epoch), candidate);
    check(is_new || found->second == candidate, "I10 one vote", "broker ", place(voter), " voted for ",
          place(found->second), " and for ", place(candidate), " in epoch ", epoch.value);
  }

  void on_another_disk(group::Seat voter) { ++disks_[place(voter)]; }

 private:
  std::array<int, limits::brokers> disks_{};  // by seat
  std::map<std::tuple<group::Seat, int, Epoch>, group::Seat> votes_;
};

}  // namespace cidbus::sim
