#include "broker/cluster/heard_nodes.h"

#include <gtest/gtest.h>

#include <map>

namespace cidbus {
namespace {

using namespace std::chrono_literals;

class HeardNodesTest : public ::testing::Test {
 protected:
  HeardNodes nodes;
  Now now{Monotonic(1h), WallTime{1'000'000'000}};

  void pass(Duration time) {
    now.monotonic += time;
    now.wall.milliseconds += std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  }
  void hello(std::string_view name, Role role = Role::Worker) {
    Hello said;
    said.role = role;
    said.load = {.slots = 3};
    said.exchange = "h:1";
    nodes.on_hello(now, {protocol_version, {1}, {}, name, {7}}, said);
  }
  void feed(FeedEvent event) {
    nodes.on_feed(now, {FeedTopic::Members, 1, {9}, now.wall, {std::move(event)}});
  }
  Member member(std::string_view name, MemberState state) {
    return {name, Role::Gateway, state, {7}, "", {}, now.wall, now.wall};
  }
  std::map<std::string, MemberState> states() {
    std::map<std::string, MemberState> found;
    for (const Member& node : nodes.members(now)) found.emplace(node.name, node.state);
    return found;
  }
  using States = std::map<std::string, MemberState>;
};

TEST_F(HeardNodesTest, WhoLooksForALeaderHereIsAliveAsItTellsOfItself) {
  hello("w1");
  const auto members = nodes.members(now);
  ASSERT_EQ(members.size(), 1u);
  EXPECT_EQ(members[0].state, MemberState::Alive);
  EXPECT_EQ(members[0].role, Role::Worker);
  EXPECT_EQ(members[0].load.slots, 3u);
  EXPECT_EQ(members[0].exchange, "h:1");
  EXPECT_EQ(members[0].joined_at, WallTime{}) << "only its leader knows";
}

TEST_F(HeardNodesTest, ClientsAndBrokersAreNoMembers) {
  hello("c1", Role::Client);
  hello("b9", Role::Master);
  EXPECT_TRUE(states().empty());
}

TEST_F(HeardNodesTest, WhoIsSilentIsSuspectAndNeverDeadAndInTheEndNotNamed) {
  hello("w1");
  pass(60s);
  EXPECT_EQ(states(), (States{{"w1", MemberState::Suspect}}));
  hello("w1");
  EXPECT_EQ(states(), (States{{"w1", MemberState::Alive}}));
  pass(601s);
  EXPECT_TRUE(states().empty());
}

TEST_F(HeardNodesTest, WhatTheFeedSaysIsHeardToo) {
  feed(MemberEvent{member("g1", MemberState::Alive)});
  feed(MemberEvent{member("g2", MemberState::Dead)});
  feed(HeartbeatEvent{"w1", Role::Worker, {5}, {.slots = 2}});
  EXPECT_EQ(states(), (States{{"g1", MemberState::Alive}, {"w1", MemberState::Alive}}));
  feed(MemberEvent{member("g1", MemberState::Left)});
  feed(HeartbeatEvent{"g1", Role::Gateway, {7}, {}});
  EXPECT_EQ(states()["g1"], MemberState::Left) << "the heartbeat was sent before";
  feed(HeartbeatEvent{"g1", Role::Gateway, {8}, {}});
  EXPECT_EQ(states()["g1"], MemberState::Alive) << "it was started again";
}

TEST_F(HeardNodesTest, ANewLifeTakesTheNameOfTheOldOne) {
  feed(HeartbeatEvent{"w1", Role::Worker, {5}, {.slots = 2}});
  feed(HeartbeatEvent{"w1", Role::Worker, {6}, {.slots = 4}});
  const auto members = nodes.members(now);
  ASSERT_EQ(members.size(), 1u);
  EXPECT_EQ(members[0].incarnation, Incarnation{6});
  EXPECT_EQ(members[0].load.slots, 4u);
}

}  // namespace
}  // namespace cidbus
