// W2 and C1, the fence around a deposed leader: a node that has heard of an epoch acts on nothing that a
// leader of a lower one says.
//
// Thread rule: one owner, a node. Limits: none.
#pragma once

#include <algorithm>
#include <string>

#include "shared/base/ids.h"
#include "tests/sim/base/check.h"

namespace cidbus::sim {

class Fencing {
 public:
  void on_heard(Epoch epoch) { highest_ = std::max(highest_, epoch); }
  void on_acted(const std::string& node, Epoch epoch) const {
    check(epoch >= highest_, "W2 fencing", node, " follows a leader of epoch ", epoch.value,
          " though it has heard of ", highest_.value);
  }

 private:
  Epoch highest_;  // only grows
};

}  // namespace cidbus::sim
