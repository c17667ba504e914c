#include "broker/cluster/membership.h"

#include <gtest/gtest.h>

#include "shared/base/limits/members.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;
using HelloAnswer = Membership::HelloAnswer;

class MembershipTest : public ::testing::Test {
 protected:
  Membership members{5s, 1s};
  Now now{Monotonic(1h), WallTime{1'000'000}};

  void pass(Duration time) {
    now.monotonic += time;
    now.wall.milliseconds += std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  }
  HelloAnswer hello(std::string_view name, std::uint64_t incarnation, bool other_is_gone = false) {
    Hello hello;
    hello.role = Role::Worker;
    hello.load = {.slots = 3, .blocks = 5};
    hello.exchange = "127.0.0.1:9110";
    return members.hello(now, name, {incarnation}, hello, other_is_gone);
  }
  MemberState state(std::string_view name) { return members.find(name)->state; }
};

TEST_F(MembershipTest, JoinsAtHelloAndIsAliveAtTheNextSignOfLife) {
  EXPECT_EQ(hello("w1", 1), HelloAnswer::Welcome);
  EXPECT_EQ(members.take_changes(now), Names{"w1"});
  EXPECT_EQ(state("w1"), MemberState::Joining);
  EXPECT_EQ(members.find("w1")->load.slots, 3u) << "told by the hello, before any heartbeat";
  EXPECT_EQ(members.find("w1")->load.blocks, 5u);
  EXPECT_TRUE(members.heard(now, "w1", {1}));
  EXPECT_EQ(members.take_changes(now), Names{"w1"});
  EXPECT_EQ(state("w1"), MemberState::Alive);
  EXPECT_TRUE(members.heard(now, "w1", {1}));
  EXPECT_EQ(members.take_changes(now), Names{});
}

TEST_F(MembershipTest, SilenceMakesItSuspectAndThenDeadEachToldOnce) {
  hello("w1", 1);
  members.heard(now, "w1", {1});
  members.take_changes(now);
  EXPECT_EQ(members.deadline(), now.monotonic + 2500ms);
  pass(2500ms);
  EXPECT_EQ(members.take_changes(now), Names{"w1"});
  EXPECT_EQ(state("w1"), MemberState::Suspect);
  pass(2499ms);
  EXPECT_EQ(members.take_changes(now), Names{});
  pass(1ms);
  EXPECT_EQ(members.take_changes(now), Names{"w1"});
  EXPECT_EQ(state("w1"), MemberState::Dead);
  EXPECT_EQ(members.deadline(), std::nullopt);
  EXPECT_FALSE(members.heard(now, "w1", {1})) << "the dead say hello first";
}

// The earliest time is kept over many: it is that of the quietest, whoever else was heard since.
TEST_F(MembershipTest, TheQuietestOfManyIsSuspectInTimeAndTheOthersAreNot) {
  for (const char* name : {"w1", "w2", "w3"}) {
    hello(name, 1);
    members.heard(now, name, {1});
  }
  members.take_changes(now);
  pass(1s);
  members.heard(now, "w1", {1});
  members.heard(now, "w3", {1});
  pass(1500ms);
  EXPECT_EQ(members.take_changes(now), Names{"w2"});
  EXPECT_EQ(members.deadline(), now.monotonic + 1s);
  pass(1s);
  EXPECT_EQ(members.take_changes(now), (Names{"w1", "w3"}));
  members.heard(now, "w1", {1});
  EXPECT_EQ(members.deadline(), now.monotonic + 1500ms) << "w2 is dead then";
}

TEST_F(MembershipTest, AnyMessageRevivesASuspect) {
  hello("w1", 1);
  pass(3s);
  members.take_changes(now);
  EXPECT_EQ(state("w1"), MemberState::Suspect);
  EXPECT_TRUE(members.heartbeat(now, "w1", {1}, NodeLoad{.slots = 4}));
  EXPECT_EQ(state("w1"), MemberState::Alive);
  EXPECT_EQ(members.find("w1")->load.slots, 4u);
}

TEST_F(MembershipTest, ABrokenConnectionHasTheGraceToReturn) {
  hello("w1", 1);
  hello("w2", 2);
  members.connection_broke(now, "w1", {1});
  members.connection_broke(now, "w2", {2});
  EXPECT_EQ(state("w1"), MemberState::Suspect);
  pass(500ms);
  EXPECT_TRUE(members.heard(now, "w2", {2}));
  EXPECT_EQ(members.deadline(), now.monotonic + 500ms);
  pass(500ms);
  members.take_changes(now);
  EXPECT_EQ(state("w1"), MemberState::Dead);
  EXPECT_EQ(state("w2"), MemberState::Alive);
}

TEST_F(MembershipTest, AHeartbeatOnTheFeedDoesNotMendABrokenBus) {
  hello("w1", 1);
  members.connection_broke(now, "w1", {1});
  pass(900ms);
  EXPECT_TRUE(members.heartbeat(now, "w1", {1}, {}));
  pass(100ms);
  members.take_changes(now);
  EXPECT_EQ(state("w1"), MemberState::Dead);
}

TEST_F(MembershipTest, ASecondLiveClaimantOfANameIsRefused) {
  hello("w1", 1);
  EXPECT_EQ(hello("w1", 2), HelloAnswer::NameTaken);
  EXPECT_FALSE(members.heard(now, "w1", {2}));
  EXPECT_EQ(hello("w1", 2, true), HelloAnswer::Welcome) << "the first is known to be gone";
  EXPECT_TRUE(members.heard(now, "w1", {2}));
  EXPECT_FALSE(members.heard(now, "w1", {1}));
}

TEST_F(MembershipTest, AGoodbyeFreesTheName) {
  hello("w1", 1);
  members.goodbye(now, "w1", {2});
  EXPECT_EQ(state("w1"), MemberState::Joining) << "only its own incarnation says goodbye";
  members.goodbye(now, "w1", {1});
  EXPECT_EQ(state("w1"), MemberState::Left);
  EXPECT_EQ(hello("w1", 2), HelloAnswer::Welcome);
  EXPECT_EQ(state("w1"), MemberState::Joining);
}

TEST_F(MembershipTest, AFullTableForgetsTheDepartedFirstAndRefusesWhenAllLive) {
  for (std::size_t count = 0; count < limits::members; ++count) {
    ASSERT_EQ(hello("n" + std::to_string(count), 1), HelloAnswer::Welcome);
  }
  EXPECT_EQ(hello("late", 1), HelloAnswer::Full);
  members.goodbye(now, "n7", {1});
  EXPECT_EQ(hello("late", 1), HelloAnswer::Welcome);
  EXPECT_EQ(members.find("n7"), nullptr);
}

TEST_F(MembershipTest, WhatBecameOfMembersIsRememberedInOrderWithoutGaps) {
  hello("w1", 1);
  members.heard(now, "w1", {1});
  pass(5s);
  members.take_changes(now);
  hello("w1", 2);
  members.goodbye(now, "w1", {2});
  std::string told;
  for (const MemberChange& change : members.history(0, 100)) {
    told += std::to_string(change.number) + " " + std::string(to_text(change.from)) + " to " +
            std::string(to_text(change.to)) + ", ";
    EXPECT_EQ(change.name, "w1");
    EXPECT_EQ(change.role, Role::Worker);
    EXPECT_EQ(change.incarnation.value, change.number < 4 ? 1U : 2U);
  }
  EXPECT_EQ(told,
            "1 left to joining, 2 joining to alive, 3 alive to dead, 4 dead to joining, 5 joining to left, ");
  ASSERT_EQ(members.history(3, 1).size(), 1U);
  EXPECT_EQ(members.history(3, 1)[0].number, 4U);
  EXPECT_EQ(members.last_change(), 5U);
}

TEST_F(MembershipTest, OldChangesAreForgotten) {
  for (std::uint64_t incarnation = 1; incarnation <= limits::member_changes_kept; ++incarnation) {
    hello("w1", incarnation);
    members.goodbye(now, "w1", {incarnation});
  }
  EXPECT_EQ(members.history(0, 10'000).size(), limits::member_changes_kept);
  EXPECT_EQ(members.history(0, 1)[0].number, limits::member_changes_kept + 1);
}

TEST_F(MembershipTest, OtherTimeoutsHoldForThoseWhoAreHereAlready) {
  hello("w1", 1);
  members.heard(now, "w1", {1});
  members.take_changes(now);
  members.set_timeouts(20s, 1s);
  pass(5s);
  members.take_changes(now);
  EXPECT_EQ(state("w1"), MemberState::Alive);
  members.set_timeouts(4s, 1s);
  EXPECT_EQ(members.take_changes(now), Names{"w1"});
  EXPECT_EQ(state("w1"), MemberState::Dead);
}

TEST_F(MembershipTest, LabelsAreThoseOfTheLastHello) {
  Hello hello;
  hello.labels = {{"zone", "a"}};
  members.hello(now, "w1", {1}, hello, false);
  EXPECT_EQ(member_of("w1", *members.find("w1")).labels, hello.labels);
  hello.labels = {};
  members.hello(now, "w1", {1}, hello, false);
  EXPECT_TRUE(members.find("w1")->labels.empty());
}

}  // namespace
}  // namespace cidbus
