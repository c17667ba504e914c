// Judges now and then whether all is well: this node by what its collector measures, the cluster, where there
// is a coordinator, by what its leader and brokers say; and raises alerts.
//
// From the start there are thresholds for cpu_percent, memory_percent and disk_percent: warning 80, critical
// 95.
//
// Invariants
//  1. An alert is told once when it is raised, once when it becomes critical, once when it is over (or its
//     threshold is taken away): not at every check.
//  2. What is not known is never called healthy, and resolves nothing. A cluster that has answered once and
//     does not any more is an alert of its own, a warning at least.
//  3. What was measured later is judged later; alerts are told one at a time, in their order.
//
// Thread rule: any thread. The callback runs on a thread that checks (the monitor's, or one that asks for
// health), perhaps another than that which saw the change, with no lock held; it must not throw. Limits:
// 1,000 alerts in the history, the oldest go first.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cidbus/cluster/coordinator.h"
#include "cidbus/cluster/metrics_collector.h"
#include "cidbus/cluster/value.h"

namespace cidbus::v1 {

struct MonitorOptions {
  std::string node_id;
  std::shared_ptr<MetricsCollector> metrics_collector = {};  // null: one of its own, in memory
  Seconds check_interval{60};
  std::function<void(const Dict& alert)> alert_callback = {};
  std::shared_ptr<ClusterCoordinator> coordinator = {};  // null: this node is all that is judged
};

// An alert is {"timestamp", "source": "metrics" or "health", "node_id", "level": "warning", "critical" or,
// when it is over, "resolved", "type": the metric, or "cluster_status" or "node_status", "message"}.
class ClusterMonitor {
 public:
  explicit ClusterMonitor(MonitorOptions options);
  ~ClusterMonitor();
  ClusterMonitor(const ClusterMonitor&) = delete;
  ClusterMonitor& operator=(const ClusterMonitor&) = delete;

  // Checks now: {"status": "healthy", "warning", "critical" or "unknown", "issues": [text], "last_check",
  // "node_statuses": {name: {"status", "issues"}}, "alerts": [those that are raised]}.
  [[nodiscard]] Dict get_cluster_health();
  // {"node_id", "status", "issues", "last_check"}; this node without a name. Status unknown for a node that
  // nobody knows.
  [[nodiscard]] Dict get_node_health(const std::string& node_id = {});

  // Of a metric as the collector names it ("queue.length"), or of every source's ("cpu_percent"): at or
  // above. Neither: none any more. BadUsage when critical is below warning.
  Status set_alert_threshold(const std::string& metric, std::optional<double> warning,
                             std::optional<double> critical = std::nullopt);

  [[nodiscard]] List get_alerts() const;         // raised now, the oldest first
  [[nodiscard]] List get_alert_history() const;  // all that was told, the oldest first
  // Forgets both. What is raised is not raised again before it was over.
  void clear_alerts();

  void shutdown();

 private:
  struct State;
  const std::shared_ptr<State> state_;  // shared with its thread, which may outlive this inside a callback
};

}  // namespace cidbus::v1
