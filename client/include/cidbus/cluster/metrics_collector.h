// Measures now and then, and remembers: what its sources say, as numbers over time.
//
//   cidbus::MetricsCollector metrics({.node_id = "w1", .metrics_dir = "~/metrics"});
//   metrics.register_metric_source("queue", [&] { return cidbus::Dict{{"length", queue.size()}}; });
//
// One source is there from the start: "system", this machine or the share of it that a container gives:
// cpu_percent, memory_percent, memory_available_bytes, disk_percent, disk_available_bytes.
//
// Every number that a source gives is a metric, SOURCE.NAME, and SOURCE.NAME.NAME in a dict within; what is
// no number is told by get_current_metrics() alone. A source that fails is left out of that measurement, and
// its reason told under "errors".
//
// With metrics_dir each measurement is a line of JSON in metrics-DAY.ndjson there; they are read again at the
// start, and files of days past the retention deleted. A folder belongs to one collector at a time.
//
// Thread rule: any thread. Sources are called on the collector's thread and on those that ask, one call at a
// time, and must not call the collector. Limits: 100,000 measurements and 1,000 metrics in memory; the oldest
// go first, further metrics are not kept.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cidbus/cluster/membership_manager.h"
#include "cidbus/cluster/value.h"

namespace cidbus::v1 {

struct MetricsOptions {
  std::string node_id;
  std::string metrics_dir = {};  // ~ is the home; made when it is not there; empty: memory only
  Seconds collection_interval{60};
  int retention_days = 7;
};

using MetricSource = std::function<Result<Dict>()>;

class MetricsCollector {
 public:
  // Measures for the first time at once. What is wrong with metrics_dir is told by status().
  explicit MetricsCollector(MetricsOptions options);
  ~MetricsCollector();
  MetricsCollector(const MetricsCollector&) = delete;
  MetricsCollector& operator=(const MetricsCollector&) = delete;

  // Whether measurements reach the disk: BadUsage, TryAgain (another collector has the folder), Failed.
  [[nodiscard]] Status status() const;

  // In the place of one of the same name.
  void register_metric_source(const std::string& name, MetricSource source);

  // Measures now: {"timestamp", SOURCE: dict, ...}, and "errors": {SOURCE: text} where there are some.
  [[nodiscard]] Dict get_current_metrics();
  // Of the last "30s", "15m", "1h", "7d": {"timestamps": [..], "metrics": {METRIC: [..]}}, a value a
  // timestamp, null where one was not measured. BadUsage for another timeframe.
  [[nodiscard]] Result<Dict> get_historical_metrics(const std::string& timeframe) const;
  // {METRIC: {"avg", "min", "max", "current", "p50", "p95", "p99"}}; percentiles by nearest rank.
  [[nodiscard]] Result<Dict> get_aggregated_metrics(const std::string& timeframe) const;

  void shutdown();

 private:
  friend class ClusterMonitor;
  struct State;
  const std::shared_ptr<State> state_;  // shared with its thread, which may outlive this inside a source
};

}  // namespace cidbus::v1
