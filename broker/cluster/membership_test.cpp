#include "broker/cluster/membership.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace cidbus
