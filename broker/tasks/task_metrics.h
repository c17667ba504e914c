// What the leader counts of tasks, over all its offices.
//
// Thread rule: the driver's. Limits: the registry's.
#pragma once

#include <array>

#include "shared/core/refusal.h"
#include "shared/core/task.h"
#include "shared/metrics/registry.h"

namespace cidbus {

struct TaskMetrics {
  explicit TaskMetrics(Registry& registry);

  Counter& submitted;
  Counter& accepted;
  std::array<Counter*, refusal_count> rejected;     // by Refusal
  std::array<Counter*, task_state_count> finished;  // by state; null for those that are not final
  Counter& requeued;
  Counter& stale;
  Histogram& wait;
  Histogram& run;
  Histogram& dispatch;

  void on_rejected(Refusal why) { rejected.at(static_cast<std::size_t>(why))->add(); }
  void on_finished(TaskState state) { finished.at(static_cast<std::size_t>(state))->add(); }
  // In all final states.
  [[nodiscard]] std::uint64_t all_finished() const;
};

}  // namespace cidbus
