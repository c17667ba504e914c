#include "cidbus/cluster/metrics_collector.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <set>

#include "client/library/public_values.h"
#include "node/library/measurements.h"
#include "node/library/ticker.h"
#include "observer/core/bucket.h"
#include "shared/content/quote.h"
#include "shared/io/clock.h"
#include "shared/io/machine_reader.h"

namespace cidbus::v1 {
namespace {

double now_in_seconds() { return static_cast<double>(read_clock().wall.milliseconds) / 1000; }

void flatten(const std::string& name, const Value& value, std::map<std::string, double>& metrics) {
  if (const Dict* dict = value.dict()) {
    for (const auto& [inner, item] : *dict) flatten(name + "." + inner, item, metrics);
  } else if (value.whole() != nullptr || (value.decimal() != nullptr && std::isfinite(*value.decimal()))) {
    metrics[name] = value.number();
  }
}

// This machine, between two looks at it.
class SystemSource {
 public:
  explicit SystemSource(std::string folder) : folder_(std::move(folder)) {}

  Dict measure() {
    const Machine machine = read_machine(folder_);
    const Monotonic now = read_clock().monotonic;
    const auto percent = [](auto part, auto whole) {
      return whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0.0;
    };
    Dict system{
        {"memory_percent",
         percent(machine.memory_bytes - machine.memory_available_bytes, machine.memory_bytes)},
        {"memory_available_bytes", machine.memory_available_bytes},
        {"disk_percent", percent(machine.disk_bytes - machine.disk_available_bytes, machine.disk_bytes)},
        {"disk_available_bytes", machine.disk_available_bytes}};
    if (now - looked_at_ >= shortest_) {
      const double capacity = static_cast<double>((now - looked_at_).count()) * machine.cores;
      const double used = percent(static_cast<double>((machine.cpu_used - cpu_used_).count()), capacity);
      if (looked_at_ != Monotonic{}) cpu_percent_ = std::clamp(used, 0.0, 100.0);
      looked_at_ = now;
      cpu_used_ = machine.cpu_used;
    }
    system.emplace("cpu_percent", cpu_percent_);
    return system;
  }

 private:
  static constexpr auto shortest_ = std::chrono::milliseconds(100);  // below it the kernel's clock ticks show
  const std::string folder_;
  Monotonic looked_at_{};
  Duration cpu_used_{};
  double cpu_percent_ = 0;
};

}  // namespace

struct MetricsCollector::State {
  explicit State(MetricsOptions given)
      : options(with_folder(std::move(given))),
        system(options.metrics_dir.empty() ? "." : options.metrics_dir),
        kept(options.metrics_dir, std::max(1, options.retention_days)) {
    sources["system"] = [this] { return system.measure(); };
    kept.open(now_in_seconds());
  }

  static MetricsOptions with_folder(MetricsOptions given) {
    given.metrics_dir = expand_home(given.metrics_dir);
    return given;
  }

  Dict measure() {
    const std::lock_guard one_at_a_time(measuring);
    std::map<std::string, MetricSource> asked;
    {
      const std::lock_guard guard(lock);
      asked = sources;
    }
    const double now = now_in_seconds();
    Dict told{{"timestamp", now}};
    Dict errors;
    Measurement measurement{now, {}};
    for (const auto& [name, source] : asked) {
      auto value = source();
      if (!value) {
        errors.emplace(name, value.error().message);
        continue;
      }
      const Value dict(*std::move(value));
      flatten(name, dict, measurement.metrics);
      told[name] = dict;
    }
    if (!errors.empty()) told["errors"] = std::move(errors);
    const std::lock_guard guard(lock);
    kept.add(std::move(measurement));
    kept.drop_old(now);
    return told;
  }

  // The rows of a timeframe, under the lock.
  template <typename Use>
  Result<Dict> with_rows(const std::string& timeframe, const Use& use) const {
    const auto seconds = parse_timeframe(timeframe);
    if (!seconds)
      return Fault{FaultKind::BadUsage,
                   in_quotes(timeframe) + " is no timeframe; give a number and s, m, h or d, such as 30m"};
    const std::lock_guard guard(lock);
    const auto& rows = kept.rows();
    const auto first =
        std::lower_bound(rows.begin(), rows.end(), now_in_seconds() - *seconds,
                         [](const Measurement& row, double time) { return row.timestamp < time; });
    std::set<std::string> names;
    for (auto row = first; row != rows.end(); ++row)
      for (const auto& [name, value] : row->metrics) names.insert(name);
    return use(first, rows.end(), names);
  }

  const MetricsOptions options;
  std::mutex measuring;  // so that sources are called one at a time
  SystemSource system;
  mutable std::mutex lock;  // of what follows; no source is called with it held
  std::map<std::string, MetricSource> sources;
  Measurements kept;
  Ticker ticker;
};

MetricsCollector::MetricsCollector(MetricsOptions options)
    : state_(std::make_shared<State>(std::move(options))) {
  const auto every = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::clamp(state_->options.collection_interval, Seconds(0.01), Seconds(1e6)));
  state_->ticker.start(every, [state = state_] { state->measure(); });
}

MetricsCollector::~MetricsCollector() { shutdown(); }

Status MetricsCollector::status() const {
  const std::lock_guard guard(state_->lock);
  return to_public(state_->kept.status());
}

void MetricsCollector::register_metric_source(const std::string& name, MetricSource source) {
  const std::lock_guard guard(state_->lock);
  state_->sources[name] = std::move(source);
}

Dict MetricsCollector::get_current_metrics() { return state_->measure(); }

Result<Dict> MetricsCollector::get_historical_metrics(const std::string& timeframe) const {
  return state_->with_rows(timeframe, [](auto first, auto end, const std::set<std::string>& names) {
    List timestamps;
    Dict metrics;
    for (auto row = first; row != end; ++row) timestamps.emplace_back(row->timestamp);
    for (const std::string& name : names) {
      List values;
      for (auto row = first; row != end; ++row) {
        const auto found = row->metrics.find(name);
        values.push_back(found == row->metrics.end() ? Value() : Value(found->second));
      }
      metrics.emplace(name, std::move(values));
    }
    return Dict{{"timestamps", std::move(timestamps)}, {"metrics", std::move(metrics)}};
  });
}

Result<Dict> MetricsCollector::get_aggregated_metrics(const std::string& timeframe) const {
  return state_->with_rows(timeframe, [](auto first, auto end, const std::set<std::string>& names) {
    Dict aggregated;
    for (const std::string& name : names) {
      std::vector<Bucket> points;
      for (auto row = first; row != end; ++row) {
        if (const auto found = row->metrics.find(name); found != row->metrics.end())
          points.push_back(bucket_of(static_cast<std::int64_t>(row->timestamp), found->second));
      }
      const auto figures = figures_of(points);
      aggregated.emplace(name, Dict{{"avg", figures->average},
                                    {"min", figures->minimum},
                                    {"max", figures->maximum},
                                    {"current", figures->last},
                                    {"p50", figures->p50},
                                    {"p95", figures->p95},
                                    {"p99", figures->p99}});
    }
    return aggregated;
  });
}

void MetricsCollector::shutdown() { state_->ticker.stop(); }

}  // namespace cidbus::v1
