// How much of its machine each node finds in use, and how old the queue is: the series that come from what
// nodes measure themselves (MetricsEvent).
//
// Invariant: a node that has told nothing for limits::metrics_expire has no series.
//
// Thread rule: pure; one owner. Limits: limits::members nodes; the one silent longest is forgotten first.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "observer/core/sample.h"
#include "shared/core/feed.h"

namespace cidbus {

class MachineSeries {
 public:
  void on_metrics(WallTime now, std::string_view node, const MetricsEvent& event);
  // Of each node cpu_percent, memory_percent, disk_percent, as far as it tells; of the cluster
  // queue_oldest_seconds, from who leads.
  void sample(WallTime now, const std::function<void(const Sample&)>& take);

 private:
  struct Node {
    WallTime told;
    double cpu_seconds = 0;                   // that the machine has used, when it told; 0: not known
    std::optional<double> cpu, memory, disk;  // percent
    std::optional<double> queue_oldest;       // seconds; of a leader only
  };
  std::map<std::string, Node, std::less<>> nodes_;
};

}  // namespace cidbus
