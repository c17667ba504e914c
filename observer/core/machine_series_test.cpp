#include "observer/core/machine_series.h"

#include <gtest/gtest.h>

#include "observer/core/series_names.h"
#include "shared/base/limits/metrics.h"
#include "shared/base/limits/tasks.h"
#include "shared/metrics/definitions.h"
#include "shared/metrics/instruments.h"

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
    EXPECT_TRUE(is_known_series(sample.series)) << sample.series;
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

MetricSample lengths(Metric metric, std::vector<std::uint64_t> buckets) {
  return {static_cast<std::uint16_t>(metric), {}, 0, std::move(buckets)};
}

TEST(MachineSeries, OfAHistogramThePercentileOfWhatCameSinceIsTold) {
  MachineSeries series;
  const auto say = [&](std::int64_t second, std::vector<std::uint64_t> buckets) {
    MetricsEvent event;
    event.samples = {lengths(Metric::FsyncSeconds, std::move(buckets))};
    series.on_metrics(at(second), "b1", event);
    return samples(series, at(second));
  };
  EXPECT_EQ(say(0, {}), Told{}) << "nothing was synced yet";
  EXPECT_EQ(say(1, {99, 0, 1}), (Told{{"b1/fsync_p99_seconds", 16e-6}}));
  EXPECT_EQ(say(2, {99, 0, 1}), Told{}) << "nothing since";
  EXPECT_EQ(say(3, {197, 0, 3}), (Told{{"b1/fsync_p99_seconds", 64e-6}})) << "2 of 100";
  EXPECT_EQ(say(4, {5}), Told{}) << "it counts anew";
  EXPECT_EQ(say(5, {5, 1}), (Told{{"b1/fsync_p99_seconds", 32e-6}}));
  std::vector<std::uint64_t> beyond(Histogram::buckets);
  beyond.back() = 1;
  beyond[0] = 5;
  beyond[1] = 1;
  EXPECT_EQ(say(6, beyond).size(), 1U);
  EXPECT_EQ(say(7, std::vector<std::uint64_t>(limits::metric_buckets, ~std::uint64_t{0})), Told{})
      << "of a newer node, with other buckets";
}

TEST(MachineSeries, CountersOfNetworkAndElectionsAreToldAsTheyAre) {
  MachineSeries series;
  series.on_metrics(at(0), "b1",
                    told({{Metric::NetworkReceived, 1000},
                          {Metric::NetworkSent, 2000},
                          {Metric::Elections, 3},
                          {Metric::OfficesLeft, 1},
                          {Metric::MessagesUndeliverable, 4},
                          {Metric::MessagesUndeliverable, 5},
                          {Metric::Credit, 64}}));
  EXPECT_EQ(samples(series, at(0)), (Told{{"b1/network_received_bytes_total", 1000},
                                          {"b1/network_sent_bytes_total", 2000},
                                          {"b1/elections_total", 3},
                                          {"b1/offices_left_total", 1},
                                          {"b1/messages_undeliverable_total", 9},
                                          {"b1/credit", 64}}));
  series.on_metrics(at(1), "b1", told({{Metric::Elections, 3}}));
  EXPECT_EQ(samples(series, at(1)).size(), 1U) << "what is told no more ends";
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
