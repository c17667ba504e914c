#include "observer/told_metrics.h"

#include <algorithm>

#include "shared/base/limits/metrics.h"
#include "shared/base/limits/tasks.h"
#include "shared/metrics/prometheus.h"

namespace cidbus {

void ToldMetrics::on_feed(Monotonic now, const Header& header, const Feed& message) {
  for (const FeedEvent& event : message.events) {
    if (const auto* metrics = std::get_if<MetricsEvent>(&event)) {
      take(now, std::string(header.sender), *metrics);
    } else if (const auto* changed = std::get_if<MemberEvent>(&event)) {
      if (changed->member.state > MemberState::Suspect) nodes_.erase(std::string(changed->member.name));
    }
  }
}

void ToldMetrics::take(Monotonic now, const std::string& name, const MetricsEvent& event) {
  if (nodes_.size() >= limits::members && !nodes_.contains(name)) {
    nodes_.erase(std::min_element(nodes_.begin(), nodes_.end(), [](const auto& left, const auto& right) {
      return left.second.told < right.second.told;
    }));
  }
  Node& node = nodes_[name];
  node = {now, {}, event.samples};
  for (MetricSample& sample : node.samples)
    for (std::string_view& label : sample.labels)
      if (!label.empty()) label = node.texts.emplace_back(label);
}

void ToldMetrics::forget_silent(Monotonic now) {
  std::erase_if(nodes_, [&](const auto& entry) { return now - entry.second.told >= limits::metrics_expire; });
}

std::string ToldMetrics::to_prometheus(Monotonic now) {
  forget_silent(now);
  std::vector<SampleGroup> groups;
  for (const auto& [name, node] : nodes_) groups.push_back({name, node.samples});
  return cidbus::to_prometheus(groups);
}

}  // namespace cidbus
