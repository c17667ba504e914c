#include "cidbus/cluster/metrics_collector.h"

#include <atomic>
#include <filesystem>
#include <fstream>

#include "node/library/measurements.h"
#include "node/library/waiting.h"
#include "shared/base/limits/cluster_library.h"
#include "shared/io/clock.h"
#include "tests/support/temporary_folder.h"

namespace cidbus::v1 {
namespace {

using testing_library::wait_until;

class MetricsCollectorTest : public testing::Test {
 protected:
  const cidbus::TemporaryFolder temporary;
  const std::string folder = temporary.path();
};

TEST_F(MetricsCollectorTest, TellsWhatItsSourcesSayNow) {
  MetricsCollector metrics({.node_id = "n1"});
  metrics.register_metric_source("queue", [] {
    return Dict{{"length", 3}, {"name", "q"}, {"in", Dict{{"deep", 1.5}}}};
  });
  metrics.register_metric_source("broken", []() -> Result<Dict> {
    return Fault{FaultKind::Failed, "no such queue"};
  });
  const Value now(metrics.get_current_metrics());
  EXPECT_GT(now["timestamp"].number(), 1.6e9);
  EXPECT_EQ(now["queue"]["length"], Value(3));
  EXPECT_EQ(now["queue"]["name"], Value("q"));
  EXPECT_EQ(now["errors"]["broken"], Value("no such queue"));
  EXPECT_GT(now["system"]["memory_available_bytes"].number(), 0);
  EXPECT_GE(now["system"]["disk_percent"].number(-1), 0);
  EXPECT_LE(now["system"]["cpu_percent"].number(101), 100);
}

TEST_F(MetricsCollectorTest, HistoryIsAlignedAndItsFiguresAreTrue) {
  MetricsCollector metrics({.node_id = "n1"});
  int measured = 0;
  metrics.register_metric_source("n", [&] { return Dict{{"value", ++measured}}; });
  for (int time = 0; time < 10; ++time) static_cast<void>(metrics.get_current_metrics());
  metrics.register_metric_source("late", [] { return Dict{{"value", 7}}; });
  static_cast<void>(metrics.get_current_metrics());
  metrics.shutdown();
  const Value history(metrics.get_historical_metrics("1h").value());
  const List& times = *history["timestamps"].list();
  const List& values = *history["metrics"]["n.value"].list();
  const List& late = *history["metrics"]["late.value"].list();
  ASSERT_EQ(values.size(), times.size());
  ASSERT_EQ(late.size(), times.size());
  EXPECT_TRUE(late.front().is_null());
  EXPECT_EQ(late.back().number(), 7);
  EXPECT_EQ(values.back().number(), measured);
  const Value figures(metrics.get_aggregated_metrics("30m").value());
  const Value& n = figures["n.value"];
  EXPECT_EQ(n["min"].number(), 1);
  EXPECT_EQ(n["max"].number(), measured);
  EXPECT_EQ(n["current"].number(), measured);
  EXPECT_DOUBLE_EQ(n["avg"].number(), (1 + measured) / 2.0);
  EXPECT_EQ(n["p99"].number(), measured);
  EXPECT_EQ(metrics.get_historical_metrics("soon").error().kind, FaultKind::BadUsage);
}

TEST_F(MetricsCollectorTest, MeasuresByItselfUntilItIsShutDown) {
  std::atomic<int> asked = 0;
  MetricsCollector metrics({.node_id = "n1", .collection_interval = Seconds(0.01)});
  metrics.register_metric_source("n", [&] { return Dict{{"value", ++asked}}; });
  wait_until([&] { return asked > 2; }, "it was asked three times");
  metrics.shutdown();
  const int last = asked;
  EXPECT_EQ(Value(metrics.get_historical_metrics("1h").value())["metrics"]["n.value"].list()->back().number(),
            last);
}

TEST_F(MetricsCollectorTest, WhatWasMeasuredIsThereAgainAfterAStart) {
  const std::string inner = folder + "/made/for/it";
  {
    MetricsCollector metrics({.node_id = "n1", .metrics_dir = inner});
    metrics.register_metric_source("n", [] { return Dict{{"value", 42}}; });
    static_cast<void>(metrics.get_current_metrics());
    EXPECT_TRUE(metrics.status());
    EXPECT_FALSE(MetricsCollector({.node_id = "n2", .metrics_dir = inner}).status())
        << "the folder is the first one's";
  }
  for (const auto& file : std::filesystem::directory_iterator(inner))
    if (file.path().extension() == ".ndjson")
      std::ofstream(file.path(), std::ios::app) << "{\"timestamp\": 17";
  MetricsCollector again({.node_id = "n1", .metrics_dir = inner});
  EXPECT_EQ(Value(again.get_aggregated_metrics("1h").value())["n.value"]["max"].number(), 42);
}

TEST_F(MetricsCollectorTest, WhatIsTooOldOrTooMuchGoes) {
  const double now = 1.7e9;
  Measurements kept(folder, 1);
  kept.open(now);
  kept.add({now - 200'000, {{"old", 1}}});
  kept.add({now, {{"new", 1}}});
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 2 + 1)
      << "two days, and the lock";
  kept.drop_old(now);
  EXPECT_EQ(kept.rows().size(), 1U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1 + 1);

  Measurements most("", 1);
  Measurement wide{now, {}};
  for (std::size_t name = 0; name <= limits::measured_metrics; ++name)
    wide.metrics.emplace(std::to_string(name), 1);
  most.add(wide);
  EXPECT_EQ(most.rows().front().metrics.size(), limits::measured_metrics);
  for (std::size_t row = 0; row < limits::measurements; ++row) most.add({now + 1, {}});
  EXPECT_EQ(most.rows().size(), limits::measurements);
  EXPECT_EQ(most.rows().front().timestamp, now + 1);
}

TEST_F(MetricsCollectorTest, ATimeframeIsANumberAndAUnit) {
  EXPECT_EQ(parse_timeframe("30s"), 30);
  EXPECT_EQ(parse_timeframe("1.5h"), 5400);
  EXPECT_EQ(parse_timeframe("7d"), 604'800);
  for (const char* text : {"", "h", "1", "1w", "-1h", "0s", "1hh", "nans"})
    EXPECT_FALSE(parse_timeframe(text)) << text;
}

}  // namespace
}  // namespace cidbus::v1
