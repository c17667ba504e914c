#include "observer/core/machine_series.h"

#include <algorithm>

#include "shared/base/limits/metrics.h"
#include "shared/base/limits/tasks.h"
#include "shared/metrics/definitions.h"

namespace cidbus {
namespace {

// Of a share that lies between nothing and all; a clock that was set, or a counter that began again, is
// neither.
std::optional<double> percent(double part, double whole) {
  if (!(whole > 0) || !(part >= 0)) return std::nullopt;
  return std::min(100 * part / whole, 100.0);
}

// What one message says, 0 where it does not.
struct Told {
  explicit Told(const MetricsEvent& event) {
    for (const MetricSample& sample : event.samples) {
      if (sample.metric >= metric_count) continue;  // of a newer node
      switch (static_cast<Metric>(sample.metric)) {
        case Metric::MachineCores:
          cores = sample.value;
          break;
        case Metric::MachineCpuSeconds:
          cpu_seconds = sample.value;
          break;
        case Metric::MachineMemory:
          memory = sample.value;
          break;
        case Metric::MachineMemoryAvailable:
          memory_available = sample.value;
          break;
        case Metric::DiskSize:
          disk = sample.value;
          break;
        case Metric::DiskFree:
          disk_free = sample.value;
          break;
        case Metric::IsLeader:
          leads = sample.value > 0;
          break;
        case Metric::QueueOldestAge:
          queue_oldest = std::max(queue_oldest, sample.value);
          break;
        default:
          break;
      }
    }
  }
  double cores = 0, cpu_seconds = 0, memory = 0, memory_available = 0, disk = 0, disk_free = 0;
  double queue_oldest = 0;
  bool leads = false;
};

}  // namespace

void MachineSeries::on_metrics(WallTime now, std::string_view name, const MetricsEvent& event) {
  const Told told(event);
  auto found = nodes_.find(name);
  if (found == nodes_.end()) {
    if (nodes_.size() >= limits::members) {
      nodes_.erase(std::min_element(nodes_.begin(), nodes_.end(), [](const auto& one, const auto& other) {
        return one.second.told < other.second.told;
      }));
    }
    found = nodes_.emplace(name, Node{}).first;
  }
  Node& node = found->second;
  const double seconds = static_cast<double>((now - node.told).count()) / 1000;
  if (told.cpu_seconds > 0 && node.cpu_seconds > 0)
    node.cpu = percent(told.cpu_seconds - node.cpu_seconds, told.cores * seconds);
  node.told = now;
  node.cpu_seconds = told.cpu_seconds;
  node.memory = percent(told.memory - told.memory_available, told.memory);
  node.disk = percent(told.disk - told.disk_free, told.disk);
  node.queue_oldest = told.leads ? std::optional(told.queue_oldest) : std::nullopt;
}

void MachineSeries::sample(WallTime now, const std::function<void(const Sample&)>& take) {
  std::erase_if(nodes_, [&](const auto& entry) { return now - entry.second.told >= limits::metrics_expire; });
  const Node* leader = nullptr;
  for (const auto& [name, node] : nodes_) {
    const auto tell = [&](std::string_view series, std::optional<double> value) {
      if (value) take({name, series, now, *value});
    };
    tell("cpu_percent", node.cpu);
    tell("memory_percent", node.memory);
    tell("disk_percent", node.disk);
    if (node.queue_oldest && (leader == nullptr || leader->told < node.told)) leader = &node;
  }
  if (leader != nullptr) take({"", "queue_oldest_seconds", now, *leader->queue_oldest});
}

}  // namespace cidbus
