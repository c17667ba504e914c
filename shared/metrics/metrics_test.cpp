#include "shared/base/limits/metrics.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "shared/metrics/prometheus.h"
#include "shared/metrics/registry.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;

std::string text_of(Registry& registry) { return to_prometheus(registry.read({})); }

TEST(Definitions, HaveTheNamesThatPrometheusAsksFor) {
  std::set<std::string_view> names;
  for (const MetricDefinition& definition : metric_definitions()) {
    const std::string_view name = definition.name;
    SCOPED_TRACE(name);
    EXPECT_TRUE(names.insert(name).second);
    EXPECT_TRUE(name.starts_with("cidbus_"));
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos);
    const bool counts = definition.kind == MetricKind::Counter;
    EXPECT_EQ(name.ends_with("_total"), counts);
    const std::string_view stem = counts ? name.substr(0, name.size() - 6) : name;
    EXPECT_EQ(stem.ends_with("_seconds"), definition.unit == MetricUnit::Seconds);
    EXPECT_EQ(stem.ends_with("_bytes"), definition.unit == MetricUnit::ByteCounts);
    EXPECT_TRUE(definition.kind != MetricKind::Histogram || definition.unit == MetricUnit::Seconds);
    EXPECT_TRUE(definition.meaning.ends_with("."));
    EXPECT_EQ(definition.labels[0].empty(), definition.label_values.empty());
    const bool names_nodes = definition.labels[0] == "node" || definition.labels[1] == "node";
    EXPECT_EQ(names_nodes, definition.metric == Metric::NodeInfo);
  }
}

TEST(Definitions, AreFoundByTheirNumber) {
  for (std::size_t number = 0; number < metric_count; ++number)
    EXPECT_EQ(definition_of(static_cast<Metric>(number)).metric, static_cast<Metric>(number));
}

TEST(Definitions, AreWhatTheDocumentSays) {
  if (std::getenv("CIDBUS_WRITE_DOCUMENTS") != nullptr)
    std::ofstream(CIDBUS_METRICS_DOCUMENT) << metrics_document();
  std::stringstream document;
  document << std::ifstream(CIDBUS_METRICS_DOCUMENT).rdbuf();
  EXPECT_EQ(document.str(), metrics_document()) << "write it anew: set CIDBUS_WRITE_DOCUMENTS=1";
}

TEST(Histogram, HasABucketForEveryDoubling) {
  EXPECT_EQ(Histogram::bucket_of(-1s), 0U);
  EXPECT_EQ(Histogram::bucket_of(0s), 0U);
  for (std::size_t bucket = 0; bucket < Histogram::bounds; ++bucket) {
    EXPECT_EQ(Histogram::bucket_of(Histogram::bound(bucket)), bucket);
    EXPECT_EQ(Histogram::bucket_of(Histogram::bound(bucket) + 1ns), bucket + 1);
  }
  EXPECT_EQ(Histogram::bucket_of(Duration::max()), Histogram::bounds);
}

TEST(Histogram, IsCumulativeForPrometheus) {
  Registry registry;
  Histogram& turns = registry.histogram(Metric::TurnSeconds);
  turns.observe(10us);
  turns.observe(20us);
  turns.observe(20us);
  turns.observe(2h);
  const std::string text = text_of(registry);
  EXPECT_NE(text.find("# TYPE cidbus_turn_seconds histogram\n"
                      "cidbus_turn_seconds_bucket{le=\"1.6e-05\"} 1\n"
                      "cidbus_turn_seconds_bucket{le=\"3.2e-05\"} 3\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("cidbus_turn_seconds_bucket{le=\"4294.967296\"} 3\n"
                      "cidbus_turn_seconds_bucket{le=\"+Inf\"} 4\n"
                      "cidbus_turn_seconds_sum 7200.0000"),
            std::string::npos)
      << text;
}

TEST(Registry, GivesTheSameSeriesForTheSameLabels) {
  Registry registry;
  registry.counter(Metric::WorkerTasks, "echo", "failed").add(2);
  registry.counter(Metric::WorkerTasks, "echo", "failed").add();
  registry.counter(Metric::CpuSeconds).set(1'500'000'000);
  EXPECT_EQ(text_of(registry),
            "# HELP cidbus_process_cpu_seconds_total Processor time that the process has used.\n"
            "# TYPE cidbus_process_cpu_seconds_total counter\n"
            "cidbus_process_cpu_seconds_total 1.5\n"
            "# HELP cidbus_worker_tasks_total Attempts that ended in a slot.\n"
            "# TYPE cidbus_worker_tasks_total counter\n"
            "cidbus_worker_tasks_total{type=\"echo\",outcome=\"failed\"} 3\n");
}

TEST(Registry, PutsWhatIsBeyondItsBoundUnderOther) {
  Registry registry;
  for (std::size_t number = 0; number < limits::series_a_metric + 50; ++number)
    registry.counter(Metric::WorkerTasks, "type-" + std::to_string(number), "completed").add();
  const auto samples = registry.read({});
  EXPECT_EQ(samples.size(), limits::series_a_metric + 1);
  double all = 0;
  for (const MetricSample& sample : samples) {
    all += sample.value;
    EXPECT_EQ(sample.value, sample.labels[0] == "other" ? 50 : 1);
  }
  EXPECT_EQ(all, limits::series_a_metric + 50);
}

TEST(Registry, CollectorsForgetWhatHasDeparted) {
  Registry registry;
  std::vector<std::string> types{"a", "b"};
  registry.before_reading([&](Now) {
    registry.clear(Metric::QueueDepth);
    for (const std::string& type : types) registry.gauge(Metric::QueueDepth, type).set(1);
  });
  EXPECT_EQ(registry.read({}).size(), 2U);
  types.pop_back();
  EXPECT_EQ(registry.read({}).size(), 1U);
}

TEST(Prometheus, EscapesLabelsAndKeepsEachMetricTogether) {
  Registry one;
  one.gauge(Metric::QueueDepth, "a\"b\\c\nd").set(3);
  one.gauge(Metric::Credit).set(0.25);
  const auto samples = one.read({});
  const std::vector<SampleGroup> groups{{"x", samples}, {"y", samples}};
  EXPECT_EQ(to_prometheus(groups),
            "# HELP cidbus_broker_queue_tasks Tasks that could be handed out now.\n"
            "# TYPE cidbus_broker_queue_tasks gauge\n"
            "cidbus_broker_queue_tasks{node=\"x\",type=\"a\\\"b\\\\c\\nd\"} 3\n"
            "cidbus_broker_queue_tasks{node=\"y\",type=\"a\\\"b\\\\c\\nd\"} 3\n"
            "# HELP cidbus_broker_credit_tasks How many more tasks the workers are ready to take.\n"
            "# TYPE cidbus_broker_credit_tasks gauge\n"
            "cidbus_broker_credit_tasks{node=\"x\"} 0.25\n"
            "cidbus_broker_credit_tasks{node=\"y\"} 0.25\n");
}

TEST(Prometheus, NamesANodeOnce) {
  Registry registry;
  registry.gauge(Metric::NodeInfo, "w1", "worker").set(1);
  const auto samples = registry.read({});
  const SampleGroup group{"w1", samples};
  EXPECT_TRUE(
      to_prometheus(std::span(&group, 1)).ends_with("cidbus_node_info{node=\"w1\",role=\"worker\"} 1\n"));
}

TEST(Prometheus, LeavesOutWhatItDoesNotKnow) {
  const MetricSample newer{static_cast<std::uint16_t>(metric_count), {}, 1, {}};
  EXPECT_EQ(to_prometheus(std::span(&newer, 1)), "");
}

}  // namespace
}  // namespace cidbus
