#include "observer/core/machine_series.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <span>

#include "shared/base/limits/metrics.h"
#include "shared/base/limits/tasks.h"
#include "shared/metrics/definitions.h"
#include "shared/metrics/instruments.h"

namespace cidbus {
namespace {

struct Told {
  Metric metric;
  std::string_view series;
};
// Summed over their labels. A name that ends with _total is a counter's, of which rates are shown.
constexpr std::array<Told, MachineSeries::plain_count> plain_series{
    {{Metric::NetworkReceived, "network_received_bytes_total"},
     {Metric::NetworkSent, "network_sent_bytes_total"},
     {Metric::Elections, "elections_total"},
     {Metric::OfficesTaken, "offices_taken_total"},
     {Metric::OfficesLeft, "offices_left_total"},
     {Metric::MessagesUndeliverable, "messages_undeliverable_total"},
     {Metric::Credit, "credit"}}};
constexpr std::array<Told, MachineSeries::lengths_count> lengths_series{
    {{Metric::CommitSeconds, "commit_p99_seconds"},
     {Metric::FsyncSeconds, "fsync_p99_seconds"},
     {Metric::WaitSeconds, "wait_p99_seconds"},
     {Metric::RunSeconds, "run_p99_seconds"},
     {Metric::DispatchSeconds, "dispatch_p99_seconds"},
     {Metric::HeartbeatGap, "heartbeat_gap_p99_seconds"}}};

std::size_t place_of(std::span<const Told> series, Metric metric) {
  const auto found =
      std::find_if(series.begin(), series.end(), [&](const Told& one) { return one.metric == metric; });
  return static_cast<std::size_t>(found - series.begin());
}

// Of what was counted between two messages; nothing when nothing was, or the node counts anew.
std::optional<double> p99_between(const std::vector<std::uint64_t>& before,
                                  const std::vector<std::uint64_t>& after) {
  if (after.size() < before.size() || after.size() > Histogram::buckets) return std::nullopt;
  std::vector<std::uint64_t> came(after);
  for (std::size_t bucket = 0; bucket < before.size(); ++bucket) {
    if (after[bucket] < before[bucket]) return std::nullopt;
    came[bucket] -= before[bucket];
  }
  const std::uint64_t all = std::accumulate(came.begin(), came.end(), std::uint64_t{0});
  if (all == 0) return std::nullopt;
  const std::uint64_t rank = all - all / 100;
  std::size_t bucket = 0;
  for (std::uint64_t seen = came[0]; seen < rank && bucket + 1 < came.size(); seen += came[bucket]) ++bucket;
  bucket = std::min(bucket, Histogram::bounds - 1);  // the last one has no upper bound
  return std::chrono::duration<double>(Histogram::bound(bucket)).count();
}

// Of a share that lies between nothing and all; a clock that was set, or a counter that began again, is
// neither.
std::optional<double> percent(double part, double whole) {
  if (!(whole > 0) || !(part >= 0)) return std::nullopt;
  return std::min(100 * part / whole, 100.0);
}

// What one message says, 0 where it does not.
struct Shares {
  explicit Shares(const MetricsEvent& event) {
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
  const Shares told(event);
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
  take_plain(node, event);
  node.queue_oldest = told.leads ? std::optional(told.queue_oldest) : std::nullopt;
}

void MachineSeries::take_plain(Node& node, const MetricsEvent& event) {
  node.plain = {};
  node.p99 = {};
  for (const MetricSample& sample : event.samples) {
    if (sample.metric >= metric_count) continue;
    const auto metric = static_cast<Metric>(sample.metric);
    if (const std::size_t place = place_of(plain_series, metric); place < plain_count)
      node.plain[place] = node.plain[place].value_or(0) + sample.value;
    if (const std::size_t place = place_of(lengths_series, metric); place < lengths_count)
      take_histogram(node, place, sample.buckets);
  }
}

void MachineSeries::take_histogram(Node& node, std::size_t place, const std::vector<std::uint64_t>& counts) {
  if (node.counts[place]) node.p99[place] = p99_between(*node.counts[place], counts);
  node.counts[place] = counts;
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
    for (std::size_t place = 0; place < plain_count; ++place)
      tell(plain_series[place].series, node.plain[place]);
    for (std::size_t place = 0; place < lengths_count; ++place)
      tell(lengths_series[place].series, node.p99[place]);
    if (node.queue_oldest && (leader == nullptr || leader->told < node.told)) leader = &node;
  }
  if (leader != nullptr) take({"", "queue_oldest_seconds", now, *leader->queue_oldest});
}

}  // namespace cidbus
