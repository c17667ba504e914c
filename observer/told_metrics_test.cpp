#include "observer/told_metrics.h"

#include <gtest/gtest.h>

#include "shared/base/limits/metrics.h"
#include "shared/base/limits/tasks.h"
#include "shared/metrics/definitions.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;

class Told : public testing::Test {
 protected:
  void tell(const std::string& name, double credit) {
    MetricSample sample{static_cast<std::uint16_t>(Metric::QueueDepth), {"echo", ""}, credit, {}};
    hear(name, MetricsEvent{Role::Worker, {sample}});
  }
  void change(std::string_view name, MemberState state) {
    MemberEvent event;
    event.member.name = name;
    event.member.state = state;
    hear("b1", event);
  }
  void hear(std::string_view from, FeedEvent event) {
    Header header;
    header.sender = from;
    Feed feed;
    feed.events.push_back(std::move(event));
    told.on_feed(now, header, feed);
  }
  [[nodiscard]] bool shows(const std::string& name, const std::string& value) {
    return told.to_prometheus(now).find("{node=\"" + name + "\",type=\"echo\"} " + value + "\n") !=
           std::string::npos;
  }

  Monotonic now{1h};
  ToldMetrics told;
};

TEST_F(Told, ShowsTheNewestOfEachNode) {
  tell("w1", 1);
  tell("w2", 2);
  tell("w1", 3);
  EXPECT_TRUE(shows("w1", "3"));
  EXPECT_TRUE(shows("w2", "2"));
}

TEST_F(Told, ANodeThatIsLeftOrDeadIsNotShown) {
  tell("w1", 1);
  tell("w2", 2);
  change("w1", MemberState::Suspect);
  EXPECT_TRUE(shows("w1", "1"));
  change("w1", MemberState::Dead);
  change("w2", MemberState::Left);
  EXPECT_EQ(told.to_prometheus(now), "");
}

TEST_F(Told, ASilentNodeExpires) {
  tell("w1", 1);
  now += limits::metrics_expire - 1ms;
  tell("w2", 2);
  EXPECT_TRUE(shows("w1", "1"));
  now += 1ms;
  EXPECT_FALSE(shows("w1", "1"));
  EXPECT_TRUE(shows("w2", "2"));
}

TEST_F(Told, AtTheBoundTheOneSilentLongestIsForgotten) {
  for (std::size_t number = 0; number < limits::members + 1; ++number, now += 1us)
    tell("n" + std::to_string(number), 1);
  EXPECT_EQ(told.nodes(), limits::members);
  EXPECT_FALSE(shows("n0", "1"));
  EXPECT_TRUE(shows("n1", "1"));
}

}  // namespace
}  // namespace cidbus
