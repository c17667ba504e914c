// C3, the identity under which a submission is sent again: however often that happens, to however many
// leaders, one task of it is ever handed to a worker.
//
// Every submission of the workload has bytes of its own, so that two tasks of one are seen as such.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <string>
#include <unordered_map>

#include "shared/base/bytes.h"
#include "shared/base/ids.h"
#include "tests/sim/base/check.h"

namespace cidbus::sim {

class SubmittedOnce {
 public:
  // A task with this work is leased for the first time.
  void on_first_lease(ByteView work, TaskId task) {
    const auto [found, is_new] = tasks_.emplace(std::string(as_text(work)), task);
    check(is_new || found->second == task, "C3 submitted once", "one submission became ",
          to_text(found->second), " and ", to_text(task));
  }

 private:
  std::unordered_map<std::string, TaskId> tasks_;
};

}  // namespace cidbus::sim
