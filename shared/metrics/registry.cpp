#include "shared/metrics/registry.h"

#include <algorithm>

#include "shared/base/ensure.h"
#include "shared/base/limits/metrics.h"

namespace cidbus {
namespace {

constexpr std::string_view other = "other";

void fill(MetricSample& sample, const Counter& counter) {
  const bool of_time = definition_of(static_cast<Metric>(sample.metric)).unit == MetricUnit::Seconds;
  sample.value = static_cast<double>(counter.value()) * (of_time ? 1e-9 : 1);
}
void fill(MetricSample& sample, const Gauge& gauge) { sample.value = gauge.value(); }
void fill(MetricSample& sample, const Histogram& histogram) {
  const auto counts = histogram.counts();
  sample.value = histogram.seconds();
  sample.buckets.assign(counts.begin(), counts.end());
  while (!sample.buckets.empty() && sample.buckets.back() == 0) sample.buckets.pop_back();
}

}  // namespace

template <typename Kind>
Kind& Registry::find_or_make(Metric metric, MetricKind kind, std::string_view label,
                             std::string_view second) {
  const MetricDefinition& definition = definition_of(metric);
  ENSURE(definition.kind == kind, "metric", definition.name);
  ENSURE(definition.labels[0].empty() == label.empty() && definition.labels[1].empty() == second.empty(),
         "metric", definition.name);
  Key key{metric, std::string(label.substr(0, limits::label_length)),
          std::string(second.substr(0, limits::label_length))};
  auto place = series_.find(key);
  std::size_t& count = counts_.at(static_cast<std::size_t>(metric));
  if (place == series_.end() && count >= limits::series_a_metric) {
    key.label = other;
    if (!second.empty()) key.second = other;
    place = series_.find(key);
  }
  if (place == series_.end()) {
    place = series_.emplace(std::move(key), std::make_unique<Kind>()).first;
    ++count;
  }
  return *std::get<std::unique_ptr<Kind>>(place->second);
}

Counter& Registry::counter(Metric metric, std::string_view label, std::string_view second) {
  return find_or_make<Counter>(metric, MetricKind::Counter, label, second);
}
Gauge& Registry::gauge(Metric metric, std::string_view label, std::string_view second) {
  return find_or_make<Gauge>(metric, MetricKind::Gauge, label, second);
}
Histogram& Registry::histogram(Metric metric, std::string_view label, std::string_view second) {
  return find_or_make<Histogram>(metric, MetricKind::Histogram, label, second);
}

void Registry::clear(Metric metric) {
  counts_.at(static_cast<std::size_t>(metric)) = 0;
  const auto first = series_.lower_bound(Key{metric, {}, {}});
  auto end = first;
  while (end != series_.end() && end->first.metric == metric) ++end;
  series_.erase(first, end);
}

std::vector<MetricSample> Registry::read(Now now) {
  for (const Collector& collector : collectors_) collector(now);
  std::vector<MetricSample> samples;
  samples.reserve(series_.size());
  for (const auto& [key, instrument] : series_) {
    MetricSample& sample = samples.emplace_back();
    sample.metric = static_cast<std::uint16_t>(key.metric);
    sample.labels = {key.label, key.second};
    std::visit([&](const auto& one) { fill(sample, *one); }, instrument);
  }
  return samples;
}

std::string label_of(std::string_view words) {
  std::string label(words);
  std::replace(label.begin(), label.end(), ' ', '_');
  return label;
}

}  // namespace cidbus
