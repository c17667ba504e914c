// What a worker counts of the attempts that end in its slots.
//
// Thread rule: the worker's. Limits: the registry's; types beyond it are counted as "other".
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>

#include "shared/core/task.h"
#include "shared/metrics/registry.h"

namespace cidbus {

class WorkerMetrics {
 public:
  explicit WorkerMetrics(Registry& registry)
      : registry_(registry), run_time_(registry.histogram(Metric::WorkerRunSeconds)) {}

  void on_end(std::string_view type, Outcome outcome, Duration elapsed) {
    run_time_.observe(elapsed);
    auto place = by_type_.find(type);
    if (place == by_type_.end()) place = by_type_.emplace(std::string(type), ByOutcome{}).first;
    Counter*& counter = place->second.at(static_cast<std::size_t>(outcome));
    if (counter == nullptr)
      counter = &registry_.counter(Metric::WorkerTasks, type, label_of(to_text(outcome)));
    counter->add();
  }

 private:
  using ByOutcome = std::array<Counter*, outcome_count>;

  Registry& registry_;
  Histogram& run_time_;
  std::map<std::string, ByOutcome, std::less<>> by_type_;  // found without making a string of it
};

}  // namespace cidbus
