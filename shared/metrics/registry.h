// The metrics of one process: every series it has, by metric and labels, and how they are read.
//
// Whoever counts asks once for its counter and keeps the reference. What is only looked up when somebody
// wants to know (queue lengths, memory) is set by a collector, which is called before each reading; a metric
// whose labels come and go (a broker, a task type) is cleared there first, so that what has departed is not
// shown.
//
// Invariants
//  1. A reference lives as long as the registry, unless its metric is cleared.
//  2. A metric has at most limits::series_a_metric series: beyond, all further labels are "other".
//
// Thread rule: one owner; values are written by any one thread (instruments.h). Limits: limits/metrics.h.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "shared/core/metric_sample.h"
#include "shared/metrics/definitions.h"
#include "shared/metrics/instruments.h"

namespace cidbus {

class Registry {
 public:
  Registry() = default;
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // Made at the first call. REQUIRES: the metric is of this kind, and has as many labels.
  Counter& counter(Metric metric, std::string_view label = {}, std::string_view second = {});
  Gauge& gauge(Metric metric, std::string_view label = {}, std::string_view second = {});
  Histogram& histogram(Metric metric, std::string_view label = {}, std::string_view second = {});
  // Forgets all series of the metric.
  void clear(Metric metric);

  using Collector = std::function<void(Now)>;
  void before_reading(Collector collector) { collectors_.push_back(std::move(collector)); }
  // Every series as it is now, in the order of the numbers. Views live until the next change.
  std::vector<MetricSample> read(Now now);

 private:
  struct Key {
    Metric metric;
    std::string label, second;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  using Instrument =
      std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>, std::unique_ptr<Histogram>>;

  template <typename Kind>
  Kind& find_or_make(Metric metric, MetricKind kind, std::string_view label, std::string_view second);

  std::map<Key, Instrument> series_;
  std::array<std::size_t, metric_count> counts_{};  // of series, by metric
  std::vector<Collector> collectors_;
};

// Words as a label's value has them: "timed out" is timed_out.
std::string label_of(std::string_view words);

}  // namespace cidbus
