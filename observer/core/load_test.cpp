// What view, history and alerts cost with a large cluster: 500 nodes that say something each second. What a
// whole observer costs, with the feed, metrics and a file: `bench/run observer`.

#include <gtest/gtest.h>
#include <unistd.h>

#include <ctime>
#include <fstream>

#include "observer/core/alert_engine.h"
#include "observer/core/cluster_view.h"
#include "observer/core/history.h"

namespace cidbus {
namespace {

constexpr int nodes = 500;
constexpr double most_of_a_core = 0.05;
constexpr double most_megabytes = 150;

double resident_megabytes() {
  std::ifstream file("/proc/self/statm");
  long all = 0;
  long resident = 0;
  file >> all >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool is_measured = false;  // a sanitizer's own cost is none of ours
#else
constexpr bool is_measured = true;
#endif

TEST(Load, FiveHundredNodesCostLittleTimeAndMemory) {
  if (!is_measured) GTEST_SKIP();
  ClusterView view;
  History history;
  AlertEngine engine(default_alert_rules());
  std::vector<std::string> names;
  Snapshot snapshot;
  snapshot.cluster = "demo";
  snapshot.tasks_by_state = {1, 2, 3, 4, 5, 6, 7};
  for (int number = 0; number < nodes; ++number) names.push_back("worker-" + std::to_string(number));
  WallTime now{1'700'000'000'000};
  for (const std::string& name : names)
    snapshot.members.push_back({name, Role::Worker, MemberState::Alive, {1}, "h:1", {}, now, now});
  view.on_bound();
  view.on_snapshot(now, snapshot);
  const auto tick = [&](std::int64_t second) {
    for (const std::string& name : names) {
      const NodeLoad load{4, static_cast<std::uint32_t>(second % 4), 1000, 1'000'000, 1ULL << 40, 50'000'000};
      view.on_event(now, name, HeartbeatEvent{name, Role::Worker, {1}, load});
    }
    view.sample(now, [&](const Sample& sample) {
      engine.on_sample(sample, history);
      history.add(sample);
    });
    static_cast<void>(engine.on_tick(now, "demo", false));
  };
  // So that every ring of every series is full.
  for (const auto& [times, step] :
       {std::pair(limits::history_hours, 3600), std::pair(limits::history_minutes, 60)}) {
    for (std::size_t time = 0; time < times; ++time) {
      now = now + std::chrono::seconds(step);
      tick(static_cast<std::int64_t>(time));
    }
  }
  const std::clock_t began = std::clock();
  constexpr int seconds = limits::history_seconds;
  for (int second = 0; second < seconds; ++second) {
    now = now + std::chrono::seconds(1);
    tick(second);
  }
  const double used = static_cast<double>(std::clock() - began) / CLOCKS_PER_SEC / seconds;
  EXPECT_GE(history.names().size(), 6U * nodes);
  EXPECT_LT(used, most_of_a_core);
  EXPECT_LT(resident_megabytes(), most_megabytes);
  RecordProperty("percent_of_a_core", std::to_string(100 * used));
  std::printf("%d nodes: %.1f %% of a core, %.0f MB\n", nodes, 100 * used, resident_megabytes());
}

}  // namespace
}  // namespace cidbus
