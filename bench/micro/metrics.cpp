// What measuring costs: an increment on the way of a task, and a reading of all that a broker has.
#include <benchmark/benchmark.h>

#include "shared/metrics/prometheus.h"
#include "shared/metrics/registry.h"

namespace cidbus {
namespace {

void count(benchmark::State& state) {
  Registry registry;
  Counter& counter = registry.counter(Metric::TasksAccepted);
  for (auto _ : state) {
    counter.add();
    benchmark::ClobberMemory();
  }
}
BENCHMARK(count);

void observe(benchmark::State& state) {
  Registry registry;
  Histogram& histogram = registry.histogram(Metric::RunSeconds);
  Duration took = std::chrono::microseconds(1);
  for (auto _ : state) {
    histogram.observe(took);
    took = Duration((took.count() * 7 + 13) & 0x3fff'ffff);  // all over the buckets
    benchmark::ClobberMemory();
  }
}
BENCHMARK(observe);

// One series of each metric there is, which is more than any node has.
void fill(Registry& registry) {
  for (const MetricDefinition& definition : metric_definitions()) {
    const std::string_view first = definition.labels[0].empty() ? "" : "a";
    const std::string_view second = definition.labels[1].empty() ? "" : "b";
    if (definition.kind == MetricKind::Counter) registry.counter(definition.metric, first, second).add(7);
    if (definition.kind == MetricKind::Gauge) registry.gauge(definition.metric, first, second).set(0.5);
    if (definition.kind == MetricKind::Histogram)
      registry.histogram(definition.metric, first, second).observe(std::chrono::milliseconds(3));
  }
}

void read_all(benchmark::State& state) {
  Registry registry;
  fill(registry);
  for (auto _ : state) benchmark::DoNotOptimize(registry.read({}));
}
BENCHMARK(read_all);

void scrape(benchmark::State& state) {
  Registry registry;
  fill(registry);
  for (auto _ : state) benchmark::DoNotOptimize(to_prometheus(registry.read({})));
}
BENCHMARK(scrape);

}  // namespace
}  // namespace cidbus
