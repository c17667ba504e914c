#include "observer/core/cluster_view.h"

#include <gtest/gtest.h>

#include "observer/core/feed_follower.h"
#include "observer/core/series_names.h"
#include "shared/base/limits/observer.h"

namespace cidbus {
namespace {

WallTime at(std::int64_t second) { return {(1'700'000'000 + second) * 1000}; }

Member member(std::string_view name, Role role, MemberState state = MemberState::Alive) {
  return {name,  role, state, {7}, role == Role::Worker ? "h:1" : "", {2, 1, 5, 500, 1'000'000, 0},
          at(0), at(0)};
}

Snapshot snapshot_of(std::vector<Member> members, std::uint64_t applied = 10) {
  Snapshot snapshot;
  snapshot.cluster = "demo";
  snapshot.leader = "b1";
  snapshot.applied = {applied};
  snapshot.brokers = {{"b1", "h:9", true, {4}, {applied}, {applied}, {applied}, {applied}}};
  snapshot.members = std::move(members);
  snapshot.tasks_by_state = {3, 0, 1, 9, 0, 0, 0};
  return snapshot;
}

BrokerStatus answer(std::string_view name, Duty duty, std::uint64_t last) {
  BrokerStatus status;
  status.name = name;
  status.duty = duty;
  status.leader = "b1";
  status.epoch = {4};
  status.last = status.durable = {last};
  const bool leads = duty == Duty::Leader;
  status.brokers = {{"b1", "h:9", 3, {leads ? last : 0U}, at(0)},
                    {"b2", "h:8", 2, {leads ? 90U : 0U}, at(0)},
                    {"b3", "h:7", 1, {leads ? 80U : 0U}, at(0)}};
  return status;
}

std::map<std::string, double> samples(ClusterView& view, WallTime now) {
  std::map<std::string, double> found;
  view.sample(now, [&](const Sample& sample) {
    found[std::string(sample.node) + "/" + std::string(sample.series)] = sample.value;
    EXPECT_TRUE(is_known_series(sample.series)) << sample.series;
  });
  return found;
}

TEST(ClusterView, TellsOnlyWhatIsKnown) {
  ClusterView view;
  const auto first = samples(view, at(0));
  EXPECT_EQ(first, (std::map<std::string, double>{{"/leader_present", 0}}));
}

TEST(ClusterView, IsPutTogetherFromSnapshotFeedAndAnswers) {
  ClusterView view;
  view.on_bound();
  view.on_snapshot(at(1), snapshot_of({member("b1", Role::Master), member("w1", Role::Worker)}));
  view.on_event(at(2), "w1", HeartbeatEvent{"w1", Role::Worker, {7}, {2, 2, 6, 600, 900'000, 4096}});
  view.on_status(at(2), answer("b1", Duty::Leader, 100));
  view.on_status(at(2), answer("b2", Duty::Standby, 90));
  view.end_round(at(3));
  auto told = samples(view, at(4));
  EXPECT_EQ(told["w1/slots_busy"], 2);
  EXPECT_EQ(told["w1/disk_free_bytes"], 900'000);
  EXPECT_EQ(told["w1/silent_seconds"], 2);
  EXPECT_EQ(told["/tasks_pending"], 3);
  EXPECT_EQ(told["/workers_alive"], 1);
  EXPECT_EQ(told["/leader_present"], 1);
  EXPECT_EQ(told["/brokers"], 3);
  EXPECT_EQ(told["/brokers_reachable"], 2);
  EXPECT_EQ(told["/quorum_held"], 1);
  EXPECT_EQ(told["b2/journal_lag_records"], 10);
  EXPECT_EQ(told["b3/broker_reachable"], 0);
  EXPECT_FALSE(told.contains("b3/epoch"));
}

// `nodes_alive` is what the rules single_node and few_nodes look at.
TEST(ClusterView, WhoOnlyLooksStandsForNoNodeThatIsLost) {
  ClusterView view;
  view.on_bound();
  view.on_snapshot(at(1), snapshot_of({member("b1", Role::Master), member("o1", Role::Observer),
                                       member("top", Role::Observer), member("c1", Role::Client)}));
  view.on_event(at(1), "b1", CountersEvent{});
  EXPECT_EQ(samples(view, at(2))["/nodes_alive"], 1) << "a leader that is alone with those who watch it";
  view.on_event(at(2), "b1", MemberEvent{member("w1", Role::Worker)});
  view.on_event(at(2), "b1", MemberEvent{member("g1", Role::Gateway)});
  EXPECT_EQ(samples(view, at(2))["/nodes_alive"], 3);
  view.on_status(at(2), answer("b1", Duty::Leader, 100));
  view.on_status(at(2), answer("b2", Duty::Standby, 90));
  view.end_round(at(3));
  EXPECT_EQ(samples(view, at(3))["/nodes_alive"], 4)
      << "a standby, which the leader does not name, is a node";
  view.on_event(at(3), "b1", MemberEvent{member("w1", Role::Worker, MemberState::Dead)});
  EXPECT_EQ(samples(view, at(3))["/nodes_alive"], 3);
}

TEST(ClusterView, KnowsTheGroupOnWhenNobodyAnswers) {
  ClusterView view;
  view.on_status(at(1), answer("b1", Duty::Leader, 100));
  view.end_round(at(2));
  view.end_round(at(3));
  auto told = samples(view, at(3));
  EXPECT_EQ(told["/brokers_reachable"], 0);
  EXPECT_EQ(told["/quorum_held"], 0);
}

TEST(ClusterView, ANodeThatANewLeaderDoesNotListIsDoubtedUntilItIsHeard) {
  ClusterView view;
  view.on_snapshot(at(1), snapshot_of({member("b1", Role::Master), member("w1", Role::Worker)}));
  view.on_snapshot(at(2), snapshot_of({member("b2", Role::Master)}));
  EXPECT_EQ(view.nodes().at("w1").state, MemberState::Suspect);
  EXPECT_FALSE(view.nodes().contains("b1"));
  view.on_event(at(3), "b2", MemberEvent{member("w1", Role::Worker)});
  EXPECT_EQ(view.nodes().at("w1").state, MemberState::Alive);
}

TEST(ClusterView, BrokersThatDoNotLeadTellWhomTheyHeardAndNobodyIsDoubtedForIt) {
  ClusterView view;
  Snapshot first = snapshot_of({member("b2", Role::Master), member("w1", Role::Worker)});
  first.leader = "";
  first.brokers[0].leader = false;
  view.on_standby_snapshot(at(1), first);
  EXPECT_EQ(view.cluster(), "demo");
  EXPECT_EQ(view.leader(), "");
  EXPECT_EQ(view.nodes().at("w1").state, MemberState::Alive);
  EXPECT_EQ(view.tasks_by_state().at(0), 3U);
  EXPECT_EQ(view.blocks_indexed(), std::nullopt) << "only a leader has them counted";
  EXPECT_FALSE(samples(view, at(2)).contains("/tasks_pending")) << "nobody says that it is so now";
  Member silent = member("w1", Role::Worker, MemberState::Suspect);
  silent.last_seen = at(-5);
  first.members = {member("b3", Role::Master), silent, member("w2", Role::Worker)};
  view.on_standby_snapshot(at(3), first);
  EXPECT_EQ(view.nodes().at("w1").state, MemberState::Alive) << "the other one heard it later";
  EXPECT_EQ(view.nodes().at("w2").state, MemberState::Alive);
  EXPECT_TRUE(view.nodes().contains("b2"));
  silent.last_seen = at(5);
  first.members = {silent};
  view.on_standby_snapshot(at(6), first);
  EXPECT_EQ(view.nodes().at("w1").state, MemberState::Suspect);
}

TEST(ClusterView, ADeadNodeGrowsSilentAndOneThatLeftTellsNothing) {
  ClusterView view;
  view.on_snapshot(at(0), snapshot_of({member("w1", Role::Worker), member("w2", Role::Worker)}));
  view.on_event(at(1), "b1", MemberEvent{member("w1", Role::Worker, MemberState::Dead)});
  view.on_event(at(9), "b1", MemberEvent{member("w2", Role::Worker, MemberState::Left)});
  auto told = samples(view, at(10));
  EXPECT_EQ(told["w1/silent_seconds"], 10);
  EXPECT_FALSE(told.contains("w1/slots"));
  EXPECT_FALSE(told.contains("w2/silent_seconds"));
  EXPECT_EQ(told["/nodes_lost"], 1);
}

TEST(ClusterView, ItDoesNotCallOthersSilentWhenItHearsNothingItself) {
  ClusterView view;
  view.on_snapshot(at(0), snapshot_of({member("w1", Role::Worker)}));
  view.on_event(at(1), "b1", CountersEvent{});
  EXPECT_TRUE(samples(view, at(2)).contains("w1/silent_seconds"));
  EXPECT_FALSE(samples(view, at(9)).contains("w1/silent_seconds"));
}

TEST(ClusterView, FailuresAreAShareOfTheLastMinute) {
  ClusterView view;
  view.on_snapshot(at(0), snapshot_of({}));
  for (int task = 0; task < 20; ++task)
    view.on_event(at(1), "b1",
                  TaskEvent{TaskId{1}, "echo", task < 5 ? TaskState::Failed : TaskState::Completed, "w1", 1});
  EXPECT_EQ(samples(view, at(2))["/tasks_failed_percent"], 25);
  EXPECT_EQ(samples(view, at(62))["/tasks_failed_percent"], 0);
  EXPECT_EQ(view.types().at("echo").events[static_cast<std::size_t>(TaskState::Failed)], 5U);
}

TEST(ClusterView, WhatGrowsIsBounded) {
  ClusterView view;
  for (std::size_t number = 0; number < 1000; ++number) {
    const std::string name = "n" + std::to_string(number);
    view.on_event(at(1), "b1", MemberEvent{member(name, Role::Worker, MemberState::Dead)});
    view.on_event(at(1), "b1", TaskEvent{TaskId{number}, name, TaskState::Completed, "w", 1});
    view.on_event(at(1), "b1", ElectionEvent{});
  }
  EXPECT_EQ(view.nodes().size(), limits::watched_departed);
  EXPECT_EQ(view.tasks().size(), limits::watched_tasks);
  EXPECT_EQ(view.elections().size(), limits::watched_elections);
  EXPECT_EQ(view.types().size(), limits::watched_task_types + 1);
}

struct Publisher {
  Header header{1, {1}, {1}, "b1", {5}};
  Feed tasks(std::uint64_t number, std::uint64_t applied) const {
    return {FeedTopic::Tasks, number, {applied}, at(0), {TaskEvent{}}};
  }
};

TEST(FeedFollower, NothingIsNewsBeforeTheFirstSnapshotWhichMustCoverIt) {
  FeedFollower follower;
  const Publisher b1;
  EXPECT_FALSE(follower.on_feed(b1.header, b1.tasks(1, 20)).is_new);
  EXPECT_TRUE(follower.on_feed(b1.header, {FeedTopic::Elections, 1, {}, at(0), {ElectionEvent{}}}).is_new);
  EXPECT_FALSE(follower.on_snapshot(snapshot_of({}, 10))) << "older than what was passed over";
  EXPECT_TRUE(follower.on_snapshot(snapshot_of({}, 20)));
  const Feed next = b1.tasks(2, 21);
  EXPECT_TRUE(follower.on_feed(b1.header, next).is_new);
  EXPECT_TRUE(follower.is_news(next, next.events[0]));
  EXPECT_FALSE(follower.is_news(b1.tasks(2, 20), next.events[0])) << "the snapshot holds it";
}

TEST(FeedFollower, ABrokerThatDoesNotLeadServesWhileNothingNewerWasHeard) {
  FeedFollower follower;
  const Publisher b1;
  EXPECT_FALSE(follower.on_feed(b1.header, b1.tasks(1, 20)).is_new);
  EXPECT_FALSE(follower.on_standby_snapshot(snapshot_of({}, 19))) << "it is behind what was passed over";
  EXPECT_FALSE(follower.attached());
  EXPECT_TRUE(follower.on_standby_snapshot(snapshot_of({}, 20)));
  EXPECT_TRUE(follower.attached());
  const Feed next = b1.tasks(2, 23);
  EXPECT_TRUE(follower.on_feed(b1.header, next).is_new);
  EXPECT_TRUE(follower.is_news(next, next.events[0]));
  EXPECT_FALSE(follower.on_standby_snapshot(snapshot_of({}, 22))) << "it would take back what was told";
  EXPECT_TRUE(follower.on_standby_snapshot(snapshot_of({}, 23)));
}

TEST(FeedFollower, ALeaderThatComesAfterGoesOnWhereTheOtherBrokerStood) {
  FeedFollower follower;
  ASSERT_TRUE(follower.on_standby_snapshot(snapshot_of({}, 20)));
  const Publisher b2;
  EXPECT_FALSE(follower.on_feed(b2.header, b2.tasks(1, 20)).ask) << "that snapshot holds it";
  const Feed open = b2.tasks(2, 21);
  EXPECT_TRUE(follower.on_feed(b2.header, open).is_new);
  EXPECT_TRUE(follower.is_news(open, open.events[0]));
  ASSERT_TRUE(follower.on_snapshot(snapshot_of({}, 21)));
  const Feed later = b2.tasks(3, 22);
  EXPECT_EQ(follower.on_feed(b2.header, later).missed, 0U);
  EXPECT_TRUE(follower.is_news(later, later.events[0]));
  EXPECT_FALSE(follower.is_news(b2.tasks(4, 21), later.events[0]));
}

TEST(FeedFollower, AMemberThatCameAfterTheSnapshotIsNewsThoughTheJournalStoodStill) {
  FeedFollower follower;
  ASSERT_TRUE(follower.on_snapshot(snapshot_of({}, 10)));
  const Feed joined{FeedTopic::Members, 1, {10}, at(0), {MemberEvent{}}};
  EXPECT_TRUE(follower.is_news(joined, joined.events[0]));
  const Feed before{FeedTopic::Members, 1, {9}, at(0), {MemberEvent{}}};
  EXPECT_FALSE(follower.is_news(before, before.events[0]));
}

TEST(FeedFollower, AGapAndAPublisherMetPastTheSnapshotAskForOne) {
  FeedFollower follower;
  ASSERT_TRUE(follower.on_snapshot(snapshot_of({}, 10)));
  Publisher b1;
  EXPECT_FALSE(follower.on_feed(b1.header, {FeedTopic::Counters, 70, {10}, at(0), {CountersEvent{}}}).ask);
  EXPECT_FALSE(follower.on_feed(b1.header, {FeedTopic::Members, 9, {11}, at(0), {MemberEvent{}}}).ask)
      << "all it said of members since the snapshot would have been heard";
  EXPECT_FALSE(follower.on_feed(b1.header, b1.tasks(1, 11)).ask);
  const auto gap = follower.on_feed(b1.header, b1.tasks(5, 15));
  EXPECT_TRUE(gap.ask);
  EXPECT_EQ(gap.missed, 3U);
  EXPECT_FALSE(follower.on_feed(b1.header, b1.tasks(5, 15)).is_new) << "by another way";
  Publisher b2;
  b2.header.sender = "b2";
  EXPECT_TRUE(follower.on_feed(b2.header, b2.tasks(30, 16)).ask);
  EXPECT_FALSE(follower.on_feed(b2.header, b2.tasks(31, 17)).ask);
  b2.header.incarnation = {6};
  EXPECT_TRUE(follower.on_feed(b2.header, b2.tasks(1, 18)).ask) << "started anew, it said things before";
}

}  // namespace
}  // namespace cidbus
