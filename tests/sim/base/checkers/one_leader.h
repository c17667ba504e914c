// I1: one leader an epoch.
#pragma once

#include <map>

#include "shared/core/group_messages.h"
#include "tests/sim/base/check.h"

namespace cidbus::sim {

class OneLeader {
 public:
  void on_office(Epoch epoch, group::Seat leader) {
    const auto [found, is_new] = leaders_.emplace(epoch, leader);
    check(is_new, "I1 one leader", "epoch ", epoch.value, ": ", place(found->second), " and ", place(leader));
  }
  [[nodiscard]] std::size_t offices() const { return leaders_.size(); }

 private:
  std::map<Epoch, group::Seat> leaders_;
};

}  // namespace cidbus::sim
