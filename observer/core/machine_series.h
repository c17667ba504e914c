// The series that come from what nodes measure themselves (MetricsEvent): how much of its machine each finds
// in use, what its network and its elections counted, how long things took, how old the queue is.
//
// Of a histogram the series is the 99th percentile of what came since the node told it before: the upper
// bound of the bucket in which that lies, so at most twice the truth. Rejected: every bucket as a series,
// which would be thirty for each.
//
// Invariants
//  1. A node that has told nothing for limits::metrics_expire has no series.
//  2. What was not told, or of which nothing came since the last time, has no value.
//
// Thread rule: pure; one owner. Limits: limits::members nodes; the one silent longest is forgotten first.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "observer/core/sample.h"
#include "shared/core/feed.h"

namespace cidbus {

class MachineSeries {
 public:
  void on_metrics(WallTime now, std::string_view node, const MetricsEvent& event);
  // Of each node what it tells; of the cluster queue_oldest_seconds, from who leads.
  void sample(WallTime now, const std::function<void(const Sample&)>& take);

  static constexpr std::size_t plain_count = 7;    // metrics that are series as they are
  static constexpr std::size_t lengths_count = 6;  // histograms

 private:
  struct Node {
    WallTime told;
    std::array<std::optional<double>, plain_count> plain;
    std::array<std::optional<std::vector<std::uint64_t>>, lengths_count> counts;  // as told, of all time
    std::array<std::optional<double>, lengths_count> p99;                         // seconds
    double cpu_seconds = 0;                   // that the machine has used, when it told; 0: not known
    std::optional<double> cpu, memory, disk;  // percent
    std::optional<double> queue_oldest;       // seconds; of a leader only
  };
  static void take_histogram(Node& node, std::size_t place, const std::vector<std::uint64_t>& counts);
  static void take_plain(Node& node, const MetricsEvent& event);

  std::map<std::string, Node, std::less<>> nodes_;
};

}  // namespace cidbus
