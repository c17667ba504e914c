#include "shared/node/leader_link.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

using namespace std::chrono_literals;
using Action = LeaderLink::Action;
using Change = LeaderLink::Change;

class LeaderLinkTest : public ::testing::Test {
 protected:
  LeaderLink link{{"h:1", "h:2", "h:3"}, Prng(1)};
  Monotonic now{1h};

  Change hear(std::size_t broker, const Message& message, std::uint64_t epoch = 5,
              bool expect_accepted = true) {
    Header header;
    header.epoch = {epoch};
    bool accepted = false;
    const Change change = link.on_message(now, broker, header, message, accepted);
    EXPECT_EQ(accepted, expect_accepted);
    return change;
  }
  void connect_all() {
    for (std::size_t broker = 0; broker < 3; ++broker) link.on_connected(now, broker);
  }
  // Lets time pass until it wants to do something.
  LeaderLink::Step next_step() {
    for (int tries = 0; tries < 1000; ++tries) {
      const auto step = link.step(now);
      if (step.action != Action::None || step.change != Change::None) return step;
      if (link.deadline() == Monotonic::max()) return {};
      now = std::max(now + 1ns, link.deadline());
    }
    return {};
  }
  Welcome welcome() { return {"b2", 1s, 5s, 30s, 10}; }
};

TEST_F(LeaderLinkTest, GreetsNobodyWhileNothingIsConnected) {
  EXPECT_EQ(link.step(now).action, Action::None);
  EXPECT_EQ(link.deadline(), Monotonic::max());
}

TEST_F(LeaderLinkTest, AWelcomeBindsAndPingsKeepItBound) {
  connect_all();
  const auto step = next_step();
  ASSERT_EQ(step.action, Action::Hello);
  EXPECT_EQ(hear(step.broker, welcome()), Change::Bound);
  EXPECT_TRUE(link.bound());
  for (int beat = 0; beat < 20; ++beat) {
    ASSERT_EQ(next_step().action, Action::Ping);
    EXPECT_EQ(hear(step.broker, Pong{}), Change::None);
  }
}

TEST_F(LeaderLinkTest, ARedirectIsFollowedAtOnce) {
  connect_all();
  const auto step = next_step();
  const auto before = now;
  hear(step.broker, Redirect{"b3", "h:3"});
  const auto followed = next_step();
  EXPECT_EQ(followed.action, Action::Hello);
  EXPECT_EQ(followed.broker, 2u);
  EXPECT_EQ(now, before);
}

TEST_F(LeaderLinkTest, ABrokerThatWasLearnedIsGreetedOnceItIsConnected) {
  connect_all();
  const auto step = next_step();
  EXPECT_EQ(link.add_broker("h:4"), 3u);
  hear(step.broker, Redirect{"b4", "h:4"});
  link.on_connected(now, 3);
  const auto followed = next_step();
  EXPECT_EQ(followed.action, Action::Hello);
  EXPECT_EQ(followed.broker, 3u);
}

TEST_F(LeaderLinkTest, ALaterLeaderIsTurnedToAtOnceAndAnEarlierOneNever) {
  connect_all();
  const auto step = next_step();
  hear(step.broker, welcome(), 5);
  const std::size_t other = (step.broker + 1) % 3;
  EXPECT_EQ(link.on_leader_named(now, link.brokers()[other], {5}), Change::None);
  EXPECT_EQ(link.on_leader_named(now, link.brokers()[other], {4}), Change::None);
  EXPECT_EQ(link.on_leader_named(now, "h:9", {6}), Change::None) << "it knows no such broker";
  EXPECT_TRUE(link.bound());
  EXPECT_EQ(link.on_leader_named(now, link.brokers()[other], {6}), Change::Unbound);
  const auto before = now;
  const auto next = next_step();
  EXPECT_EQ(next.action, Action::Hello);
  EXPECT_EQ(next.broker, other);
  EXPECT_EQ(now, before);
}

TEST_F(LeaderLinkTest, KnowsWhenBrokersAreThereAndNobodyLeads) {
  EXPECT_FALSE(link.leaderless());
  connect_all();
  const auto step = next_step();
  hear(step.broker, Redirect{});
  EXPECT_TRUE(link.leaderless());
  hear(next_step().broker, welcome());
  EXPECT_FALSE(link.leaderless());
}

TEST_F(LeaderLinkTest, TwoBrokersThatNameEachOtherAreAskedWithBackOff) {
  connect_all();
  const auto start = now;
  for (int turn = 0; turn < 40; ++turn) {
    const auto step = next_step();
    ASSERT_EQ(step.action, Action::Hello);
    hear(step.broker, step.broker == 2 ? Redirect{"b1", "h:1"} : Redirect{"b3", "h:3"});
  }
  EXPECT_GT(now - start, 3s);
}

TEST_F(LeaderLinkTest, ASilentBrokerIsPassedOver) {
  connect_all();
  const auto first = next_step();
  const auto second = next_step();
  EXPECT_EQ(second.action, Action::Hello);
  EXPECT_NE(first.broker, second.broker);
}

TEST_F(LeaderLinkTest, ASilentLeaderIsLostAfterTheNodeTimeout) {
  connect_all();
  hear(next_step().broker, welcome());
  const auto start = now;
  LeaderLink::Step step;
  while (step.change != Change::Unbound) step = next_step();
  EXPECT_EQ(now - start, 5s);
}

TEST_F(LeaderLinkTest, ABrokenConnectionUnbindsAndOnlyTheLeadersCounts) {
  connect_all();
  const auto step = next_step();
  hear(step.broker, welcome());
  EXPECT_EQ(link.on_disconnected(now, (step.broker + 1) % 3), Change::None);
  EXPECT_EQ(link.on_disconnected(now, step.broker), Change::Unbound);
  EXPECT_FALSE(link.bound());
}

TEST_F(LeaderLinkTest, MessagesOfALowerEpochAreNotAccepted) {
  connect_all();
  const auto step = next_step();
  hear(step.broker, welcome(), 7);
  hear((step.broker + 1) % 3, welcome(), 6, false);
  EXPECT_EQ(link.epoch(), Epoch{7});
  EXPECT_EQ(link.leader(), step.broker);
}

TEST_F(LeaderLinkTest, ALeaderThatDoesNotKnowUsIsGreetedAgain) {
  connect_all();
  const auto step = next_step();
  hear(step.broker, welcome());
  EXPECT_EQ(hear(step.broker, Refused{Refusal::NotKnown, "", 0ms}), Change::Unbound);
  EXPECT_EQ(next_step().action, Action::Hello);
}

TEST_F(LeaderLinkTest, WhoDoesNotKnowUsLeadsAndIsGreetedNext) {
  connect_all();
  for (int turn = 0; turn < 20; ++turn) hear(next_step().broker, Redirect{"", "", {}});
  const auto asked = (next_step().broker + 1) % 3;
  const Monotonic then = now;
  EXPECT_EQ(hear(asked, Refused{Refusal::NotKnown, "", 0ms}), Change::None);
  const auto step = next_step();
  EXPECT_EQ(step.action, Action::Hello);
  EXPECT_EQ(step.broker, asked);
  EXPECT_LE(now - then, 10ms) << "it waited long for those that do not lead";
}

TEST_F(LeaderLinkTest, ALeadersPingIsAnsweredSoonAndNotMoreOftenThanTwiceAHeartbeat) {
  connect_all();
  const auto step = next_step();
  hear(step.broker, welcome());
  ASSERT_EQ(next_step().action, Action::Ping);
  const auto first = now;
  now += 700ms;
  hear(step.broker, Ping{});
  EXPECT_EQ(next_step().action, Action::Ping);
  EXPECT_EQ(now, first + 700ms) << "at once";
  for (int asked = 0; asked < 10; ++asked) hear(step.broker, Ping{});
  ASSERT_EQ(next_step().action, Action::Ping);
  EXPECT_EQ(now, first + 1200ms) << "half a heartbeat later";
}

TEST_F(LeaderLinkTest, OtherPeriodsHoldAtOnce) {
  connect_all();
  const auto step = next_step();
  hear(step.broker, welcome());
  const auto bound = now;
  link.set_periods(now, 100ms, 300ms);
  ASSERT_EQ(next_step().action, Action::Ping);
  EXPECT_EQ(now, bound + 100ms);
  while (link.bound()) next_step();
  EXPECT_EQ(now, bound + 300ms) << "the leader was silent for as long";
}

}  // namespace
}  // namespace cidbus
