#include "broker/feed_publisher.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

using namespace std::chrono_literals;

class FeedPublisherTest : public ::testing::Test {
 protected:
  std::vector<Feed> sent;
  FeedPublisher feed{[this](const Feed& message) { sent.push_back(message); }};
  Now now{Monotonic(1h), WallTime{5}};
  const TaskEvent event{TaskId{1}, "echo", TaskState::Pending, "", 0};

  void subscribe(std::string prefix) { feed.on_subscription(as_bytes('\1' + prefix)); }
  void unsubscribe(std::string prefix) { feed.on_subscription(as_bytes(std::string(1, '\0') + prefix)); }
};

TEST_F(FeedPublisherTest, NumbersEachTopicFromOneWithoutGaps) {
  feed.send(now, FeedTopic::Leader, {}, LeaderEvent{});
  feed.send(now, FeedTopic::Members, {}, MemberEvent{});
  feed.send(now, FeedTopic::Leader, {}, LeaderEvent{});
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(sent[0].number, 1u);
  EXPECT_EQ(sent[1].number, 1u);
  EXPECT_EQ(sent[2].number, 2u);
}

TEST_F(FeedPublisherTest, TaskEventsGoOutOnlyWhileSomebodySubscribes) {
  feed.add_task_event(now, event);
  feed.flush(now, {});
  EXPECT_TRUE(sent.empty());
  subscribe("ta");
  feed.add_task_event(now, event);
  feed.flush(now, LogIndex{9});
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].applied, LogIndex{9});
  unsubscribe("ta");
  subscribe("members");
  feed.add_task_event(now, event);
  feed.flush(now, {});
  EXPECT_EQ(sent.size(), 1u);
}

TEST_F(FeedPublisherTest, KnowsWhetherAnybodyButBrokersListens) {
  subscribe("tasks.");
  EXPECT_TRUE(feed.wanted(FeedTopic::Tasks));
  EXPECT_FALSE(feed.wanted_by_others(FeedTopic::Tasks)) << "another broker, for those that listen there";
  subscribe("tasks");
  EXPECT_TRUE(feed.wanted_by_others(FeedTopic::Tasks));
  EXPECT_FALSE(feed.wanted_by_others(FeedTopic::Leader));
  unsubscribe("tasks");
  subscribe("");
  EXPECT_TRUE(feed.wanted_by_others(FeedTopic::Leader));
}

TEST_F(FeedPublisherTest, WhatIsOverTheRateIsLeftOutAndCounted) {
  subscribe("");
  for (std::uint32_t count = 0; count < limits::task_events + 17; ++count) feed.add_task_event(now, event);
  feed.flush(now, {});
  std::size_t events = 0;
  for (const Feed& message : sent) events += message.events.size();
  EXPECT_EQ(events, limits::task_events + 1);
  EXPECT_EQ(std::get<SkippedEvent>(sent[0].events[0]).count, 17u);
  now.monotonic += 1s;
  sent.clear();
  feed.add_task_event(now, event);
  feed.flush(now, {});
  EXPECT_EQ(sent[0].events.size(), 1u);
}

TEST_F(FeedPublisherTest, RubbishIsNoSubscription) {
  EXPECT_FALSE(feed.on_subscription({}));
  EXPECT_FALSE(feed.on_subscription(Bytes(1000, 1)));
  EXPECT_FALSE(feed.on_subscription(as_bytes("tasks")));
  EXPECT_FALSE(feed.wanted(FeedTopic::Tasks));
}

TEST_F(FeedPublisherTest, TakesNoMoreSubscriptionsThanThereMayBe) {
  for (std::size_t count = 0; count < limits::subscriptions; ++count)
    EXPECT_TRUE(feed.on_subscription(as_bytes('\1' + std::to_string(count))));
  EXPECT_FALSE(feed.on_subscription(as_bytes("\1tasks")));
  unsubscribe("0");
  EXPECT_TRUE(feed.on_subscription(as_bytes("\1tasks")));
}

}  // namespace
}  // namespace cidbus
