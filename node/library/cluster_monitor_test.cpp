#include "cidbus/cluster/cluster_monitor.h"

#include <atomic>

#include "node/library/waiting.h"

namespace cidbus::v1 {
namespace {

using testing_library::wait_until;

class ClusterMonitorTest : public testing::Test {
 protected:
  ClusterMonitorTest() {
    metrics->register_metric_source("engine", [this] { return Dict{{"heat", heat.load()}}; });
    // This machine's own state is none of the test's business.
    for (const char* metric : {"cpu_percent", "memory_percent", "disk_percent"})
      EXPECT_TRUE(monitor.set_alert_threshold(metric, std::nullopt));
    EXPECT_TRUE(monitor.set_alert_threshold("engine.heat", 80, 95));
    monitor.clear_alerts();
    told.clear();
  }
  ~ClusterMonitorTest() override { monitor.shutdown(); }

  Value health() { return monitor.get_cluster_health(); }

  std::atomic<double> heat = 20;
  std::shared_ptr<MetricsCollector> metrics = std::make_shared<MetricsCollector>(
      MetricsOptions{.node_id = "n1", .collection_interval = Seconds(3600)});
  std::mutex lock;
  std::vector<Dict> told;
  ClusterMonitor monitor{{.node_id = "n1",
                          .metrics_collector = metrics,
                          .check_interval = Seconds(3600),
                          .alert_callback = [this](const Dict& alert) {
                            if (alert.at("source") != Value("metrics") ||
                                alert.at("type").shown().ends_with("_percent"))
                              return;
                            const std::lock_guard guard(lock);
                            told.push_back(alert);
                          }}};
};

TEST_F(ClusterMonitorTest, AllIsWell) {
  const Value now = health();
  EXPECT_EQ(now["status"].shown(), "healthy");
  EXPECT_TRUE(now["issues"].list()->empty());
  EXPECT_TRUE(now["alerts"].list()->empty());
  EXPECT_GT(now["last_check"].number(), 1.6e9);
  EXPECT_EQ(now["node_statuses"]["n1"]["status"].shown(), "healthy");
}

TEST_F(ClusterMonitorTest, AnAlertIsToldWhenItIsRaisedWorsensAndIsOver) {
  const std::vector<std::pair<double, std::string>> course{
      {20, "healthy"},  {85, "warning"},  {90, "warning"}, {97, "critical"},
      {98, "critical"}, {85, "critical"}, {30, "healthy"}, {20, "healthy"}};
  for (const auto& [now, status] : course) {
    heat = now;
    EXPECT_EQ(health()["status"].shown(), status) << now;
  }
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(told[0].at("level"), Value("warning"));
  EXPECT_EQ(told[1].at("level"), Value("critical"));
  EXPECT_EQ(told[2].at("level"), Value("resolved"));
  for (const Dict& alert : told) {
    EXPECT_EQ(alert.at("source"), Value("metrics"));
    EXPECT_EQ(alert.at("node_id"), Value("n1"));
    EXPECT_EQ(alert.at("type"), Value("engine.heat"));
    EXPECT_GT(alert.at("timestamp").number(), 1.6e9);
    EXPECT_NE(alert.at("message").shown().find("engine.heat"), std::string::npos);
  }
  EXPECT_TRUE(monitor.get_alerts().empty());
  EXPECT_EQ(monitor.get_alert_history().size(), 3U);
}

TEST_F(ClusterMonitorTest, WhatWasClearedIsNotRaisedAgainBeforeItWasOver) {
  heat = 99;
  EXPECT_EQ(health()["alerts"].list()->size(), 1U);
  monitor.clear_alerts();
  EXPECT_TRUE(health()["alerts"].list()->empty());
  EXPECT_TRUE(monitor.get_alert_history().empty());
  heat = 1;
  static_cast<void>(health());
  heat = 99;
  EXPECT_EQ(health()["alerts"].list()->size(), 1U);
}

TEST_F(ClusterMonitorTest, AThresholdCountsFromNowOn) {
  heat = 60;
  EXPECT_EQ(health()["status"].shown(), "healthy");
  ASSERT_TRUE(monitor.set_alert_threshold("heat", 50)) << "of every source's";
  EXPECT_EQ(health()["status"].shown(), "warning");
  ASSERT_TRUE(monitor.set_alert_threshold("heat", std::nullopt));
  EXPECT_EQ(monitor.set_alert_threshold("heat", 50, 40).error().kind, FaultKind::BadUsage);
  EXPECT_EQ(monitor.get_node_health("n1").at("status"), Value("healthy"));
  EXPECT_EQ(monitor.get_node_health("n9").at("status"), Value("unknown"));
}

TEST(ClusterMonitor, ChecksByItself) {
  std::atomic<int> asked = 0;
  auto metrics = std::make_shared<MetricsCollector>(
      MetricsOptions{.node_id = "n1", .collection_interval = Seconds(3600)});
  metrics->register_metric_source("n", [&] { return Dict{{"value", ++asked}}; });
  ClusterMonitor monitor({.node_id = "n1", .metrics_collector = metrics, .check_interval = Seconds(0.01)});
  wait_until([&] { return asked > 2; }, "it was checked three times");
  monitor.shutdown();
  metrics->shutdown();
}

}  // namespace
}  // namespace cidbus::v1
