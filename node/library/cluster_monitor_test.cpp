#include "cidbus/cluster/cluster_monitor.h"

#include <atomic>
#include <filesystem>
#include <thread>

#include "node/library/waiting.h"
#include "tests/support/temporary_folder.h"

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
    const std::lock_guard guard(lock);
    told.clear();
  }
  ~ClusterMonitorTest() override { monitor.shutdown(); }

  Value health() { return monitor.get_cluster_health(); }
  std::size_t count_told() {
    const std::lock_guard guard(lock);
    return told.size();
  }

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
  wait_until([&] { return count_told() == 3; }, "all three are told");
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

// What was measured before a change and is judged after it would undo what was told of the change.
TEST_F(ClusterMonitorTest, WhatWasMeasuredFirstIsJudgedFirst) {
  std::atomic<bool> stopped = false;
  std::vector<std::thread> others;
  for (int one = 0; one < 3; ++one) {
    others.emplace_back([&] {
      while (!stopped) static_cast<void>(monitor.get_cluster_health());
    });
  }
  std::vector<std::string> seen;
  for (int round = 0; round < 100; ++round) {
    heat = 99;
    seen.push_back(health()["status"].shown());
    heat = 20;
    seen.push_back(health()["status"].shown());
  }
  stopped = true;
  for (std::thread& other : others) other.join();
  wait_until([&] { return count_told() == 200; }, "each change is told");
  for (std::size_t place = 0; place < seen.size(); ++place) {
    EXPECT_EQ(seen[place], place % 2 == 0 ? "critical" : "healthy") << place;
    EXPECT_EQ(told[place].at("level"), Value(place % 2 == 0 ? "critical" : "resolved")) << place;
  }
}

TEST_F(ClusterMonitorTest, AThresholdThatIsTakenAwayResolvesItsAlert) {
  heat = 99;
  EXPECT_EQ(health()["alerts"].list()->size(), 1U);
  ASSERT_TRUE(monitor.set_alert_threshold("engine.heat", std::nullopt));
  wait_until([&] { return count_told() == 2; }, "it is told that it is over");
  EXPECT_EQ(told.back().at("level"), Value("resolved"));
  EXPECT_TRUE(monitor.get_alerts().empty());
  EXPECT_EQ(monitor.get_alert_history().size(), 2U);
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

TEST(ClusterMonitor, LeavesNoThreadBehindWhenItIsShutDown) {
  const auto threads = [] {
    std::size_t count = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) count += task.exists();
    return count;
  };
  const std::size_t before = threads();
  ClusterMonitor monitor({.node_id = "n1"});
  EXPECT_GT(threads(), before);
  monitor.shutdown();
  wait_until([&] { return threads() == before; }, "its own collector's is gone, too");
  EXPECT_NE(monitor.get_cluster_health().at("status"), Value("unknown")) << "who asks measures himself";
}

TEST(ClusterMonitor, AClusterThatIsGoneIsAWarningAndResolvesNothing) {
  const cidbus::TemporaryFolder folder;
  auto master = std::make_shared<ClusterCoordinator>(
      CoordinatorOptions{.cluster_id = "home", .node_id = "m1", .is_master = true, .data = folder.path()});
  std::mutex lock;
  std::vector<std::string> told;
  const auto levels = [&] {
    const std::lock_guard guard(lock);
    return told;
  };
  ClusterMonitor monitor({.node_id = "m1",
                          .check_interval = Seconds(3600),
                          .alert_callback =
                              [&](const Dict& alert) {
                                const std::lock_guard guard(lock);
                                if (alert.at("type") == Value("cluster_status"))
                                  told.push_back(alert.at("level").shown());
                              },
                          .coordinator = master});
  for (const char* metric : {"cpu_percent", "memory_percent", "disk_percent"})
    ASSERT_TRUE(monitor.set_alert_threshold(metric, std::nullopt));
  EXPECT_EQ(monitor.get_cluster_health().at("status"), Value("unknown"));
  EXPECT_TRUE(monitor.get_alerts().empty()) << "it was never there";

  ASSERT_TRUE(master->create_cluster());
  ASSERT_TRUE(master->register_task_handler("noop", [](const Dict&) -> Result<Dict> { return Dict{}; }));
  wait_until(
      [&] {
        const bool is_well = monitor.get_cluster_health().at("status") == Value("healthy");
        return is_well && (levels().empty() || levels().back() == "resolved");
      },
      "all is well");
  {
    const std::lock_guard guard(lock);
    told.clear();
  }
  master->shutdown();
  EXPECT_EQ(monitor.get_cluster_health().at("status"), Value("unknown"));
  wait_until([&] { return levels() == std::vector<std::string>{"warning"}; }, "that it is gone is told");
  EXPECT_EQ(monitor.get_alerts().size(), 1U);

  ASSERT_TRUE(master->create_cluster());
  wait_until(
      [&] {
        static_cast<void>(monitor.get_cluster_health());
        return levels() == std::vector<std::string>{"warning", "resolved"};
      },
      "it is back");
  monitor.shutdown();
  master->shutdown();
}

}  // namespace
}  // namespace cidbus::v1
