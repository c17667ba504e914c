// What all nodes have told of their metrics, newest of each: for those who ask one observer instead of every
// node.
//
// Invariant: a node that is left or dead, or has told nothing for limits::metrics_expire, is not shown.
//
// Thread rule: one owner. Limits: limits::members nodes; the one silent longest is forgotten first.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "shared/base/time.h"
#include "shared/core/message.h"

namespace cidbus {

class ToldMetrics {
 public:
  // Any message of the feed; those that tell nothing of metrics or members are passed over.
  void on_feed(Monotonic now, const Header& header, const Feed& message);
  // As /metrics of each, with the label `node`.
  std::string to_prometheus(Monotonic now);
  [[nodiscard]] std::size_t nodes() const { return nodes_.size(); }

 private:
  struct Node {
    Monotonic told{};
    std::deque<std::string> texts;  // the samples' labels
    std::vector<MetricSample> samples;
  };
  void take(Monotonic now, const std::string& name, const MetricsEvent& event);
  void forget_silent(Monotonic now);

  std::map<std::string, Node> nodes_;
};

}  // namespace cidbus
