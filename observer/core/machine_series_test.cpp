#include "observer/core/machine_series.h"

#include <gtest/gtest.h>

#include "shared/base/limits/metrics.h"
#include "shared/base/limits/tasks.h"
#include "shared/metrics/definitions.h"

namespace cidbus {
namespace {

WallTime at(std::int64_t second) { return {(1'700'000'000 + second) * 1000}; }

MetricsEvent told(std::initializer_list<std::pair<Metric, double>> values) {
  MetricsEvent event;
  for (const auto& [metric, value] : values)
    event.samples.push_back({static_cast<std::uint16_t>(metric), {}, value, {}});
  return event;
}

std::map<std::string, double> samples(MachineSeries& series, WallTime now) {
  std::map<std::string, double> found;
  series.sample(now, [&](const Sample& sample) {
    found[std::string(sample.node) + "/" + std::string(sample.series)] = sample.value;
  });
  return found;
}

using Told = std::map<std::string, double>;

TEST(MachineSeries, ProcessorTimeIsAShareOnceItWasToldTwice) {
  MachineSeries series;
  series.on_metrics(at(0), "w1", told({{Metric::MachineCores, 4}, {Metric::MachineCpuSeconds, 1000}}));
  EXPECT_EQ(samples(series, at(0)), Told{});
  series.on_metrics(at(2), "w1", told({{Metric::MachineCores, 4}, {Metric::MachineCpuSeconds, 1006}}));
  EXPECT_EQ(samples(series, at(2)), (Told{{"w1/cpu_percent", 75}}));
}

TEST(MachineSeries, ACounterOrAClockThatWentBackTellsNothing) {
  MachineSeries series;
  series.on_metrics(at(0), "w1", told({{Metric::MachineCores, 1}, {Metric::MachineCpuSeconds, 1000}}));
  series.on_metrics(at(1), "w1", told({{Metric::MachineCores, 1}, {Metric::MachineCpuSeconds, 3}}));
  EXPECT_EQ(samples(series, at(1)), Told{}) << "the machine began again";
  series.on_metrics(at(1), "w1", told({{Metric::MachineCores, 1}, {Metric::MachineCpuSeconds, 4}}));
  EXPECT_EQ(samples(series, at(1)), Told{}) << "no time has passed";
  series.on_metrics(at(2), "w1", told({{Metric::MachineCores, 1}, {Metric::MachineCpuSeconds, 9}}));
  EXPECT_EQ(samples(series, at(2)), (Told{{"w1/cpu_percent", 100}})) << "more than all is all";
}

TEST(MachineSeries, MemoryAndDiskAreSharesWhereTheyAreTold) {
  MachineSeries series;
  series.on_metrics(at(0), "g1", told({{Metric::MachineMemory, 200}, {Metric::MachineMemoryAvailable, 50}}));
  series.on_metrics(at(0), "w1", told({{Metric::DiskSize, 1000}, {Metric::DiskFree, 40}}));
  EXPECT_EQ(samples(series, at(0)), (Told{{"g1/memory_percent", 75}, {"w1/disk_percent", 96}}));
}

TEST(MachineSeries, TheQueueIsTheNewestLeadersWordAndItsOldestTypeCounts) {
  MachineSeries series;
  series.on_metrics(at(0), "b1",
                    told({{Metric::IsLeader, 1}, {Metric::QueueOldestAge, 7}, {Metric::QueueOldestAge, 90}}));
  series.on_metrics(at(1), "b2", told({{Metric::IsLeader, 0}, {Metric::QueueOldestAge, 500}}));
  EXPECT_EQ(samples(series, at(1)), (Told{{"/queue_oldest_seconds", 90}}));
  series.on_metrics(at(2), "b2", told({{Metric::IsLeader, 1}}));
  EXPECT_EQ(samples(series, at(2)), (Told{{"/queue_oldest_seconds", 0}})) << "an empty queue is told";
}

TEST(MachineSeries, WhoTellsNothingAnyMoreHasNoSeries) {
  MachineSeries series;
  series.on_metrics(at(0), "w1", told({{Metric::DiskSize, 1000}, {Metric::DiskFree, 40}}));
  const auto expired = std::chrono::duration_cast<std::chrono::seconds>(limits::metrics_expire).count();
  EXPECT_EQ(samples(series, at(expired - 1)).size(), 1u);
  EXPECT_EQ(samples(series, at(expired)).size(), 0u);
}

TEST(MachineSeries, ANumberOfANewerNodeAndMoreNodesThanThereMayBeDoNoHarm) {
  MachineSeries series;
  MetricsEvent newer = told({{Metric::DiskSize, 1000}, {Metric::DiskFree, 40}});
  newer.samples.push_back({65'535, {}, 1, {}});
  for (std::size_t node = 0; node <= limits::members; ++node)
    series.on_metrics(at(node == 0 ? 0 : 1), "w" + std::to_string(node), newer);
  const auto found = samples(series, at(2));
  EXPECT_EQ(found.size(), limits::members);
  EXPECT_FALSE(found.contains("w0/disk_percent")) << "silent longest";
}

}  // namespace
}  // namespace cidbus
