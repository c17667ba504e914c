#include "shared/node/group_overview.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

// The answer of one of b1, b2, b3, whose journals end at 100, 90 and 80.
BrokerStatus answer(std::string_view name, Duty duty, std::string_view follows, std::uint64_t epoch = 4) {
  BrokerStatus status;
  status.name = name;
  status.duty = duty;
  status.leader = follows;
  status.epoch = {epoch};
  const std::uint64_t last = name == "b1" ? 100 : name == "b2" ? 90 : 80;
  status.last = status.durable = {last};
  status.durability = Durability::Quorum;
  const bool leads = duty == Duty::Leader;
  status.brokers = {{"b1", "h:1", 3, {leads ? 100U : 0U}, {5000}},
                    {"b2", "h:2", 2, {leads ? 95U : 0U}, {4000}},
                    {"b3", "h:3", 1, {leads ? 70U : 0U}, {3000}}};
  return status;
}

TEST(GroupOverview, IsCompleteOnceEveryBrokerNamedHasAnswered) {
  GroupOverview group;
  EXPECT_FALSE(group.complete());
  group.add(answer("b1", Duty::Leader, "b1"));
  group.add(answer("b2", Duty::Standby, "b1"));
  EXPECT_FALSE(group.complete());
  EXPECT_EQ(group.quorum_text(), "2 of 3 brokers needed, 2 reachable");
  group.add(answer("b3", Duty::Standby, "b1"));
  EXPECT_TRUE(group.complete());
}

TEST(GroupOverview, TellsOfAStateThatIsNotTheGroups) {
  GroupOverview group;
  group.add(answer("b1", Duty::Leader, "b1"));
  BrokerStatus wrong = answer("b2", Duty::Standby, "b1");
  wrong.trust = StateTrust::Quarantined;
  wrong.agreed = {64};
  group.add(wrong);
  const auto brokers = group.brokers("given:1");
  EXPECT_EQ(state_text(brokers[0]), "leader");
  EXPECT_EQ(state_text(brokers[1]), "standby, state quarantined");
  EXPECT_EQ(brokers[1].agreed, LogIndex{64});
  EXPECT_EQ(state_text(brokers[2]), "unreachable");
}

TEST(GroupOverview, KnowsInANextRoundWhoBelongsToItAndNothingElse) {
  GroupOverview group;
  for (const char* name : {"b1", "b2", "b3"})
    group.add(answer(name, name == std::string_view("b1") ? Duty::Leader : Duty::Standby, "b1"));
  group.begin_round();
  EXPECT_FALSE(group.empty());
  EXPECT_EQ(group.leader(), nullptr);
  EXPECT_EQ(group.quorum_text(), "2 of 3 brokers needed, 0 reachable");
  for (const auto& broker : group.brokers("given:1")) EXPECT_FALSE(broker.lag) << broker.name;
  group.add(answer("b2", Duty::Standby, "b1"));
  EXPECT_EQ(group.reachable(), 1U);
  EXPECT_FALSE(group.complete());
}

TEST(GroupOverview, TellsABrokerByItsOwnWordsAndASilentOneByTheOthers) {
  GroupOverview group;
  group.add(answer("b2", Duty::Standby, "b1"));
  group.add(answer("b1", Duty::Leader, "b1"));
  const auto brokers = group.brokers("given:1");
  ASSERT_EQ(brokers.size(), 3U);
  EXPECT_EQ(brokers[1].last, LogIndex{90});
  EXPECT_EQ(brokers[1].lag, 5U) << "as the leader knows it, at one moment";
  EXPECT_EQ(state_of(brokers[2]), "unreachable");
  EXPECT_EQ(brokers[2].lag, 30U);
  EXPECT_EQ(brokers[2].last_contact, WallTime{3000});
  EXPECT_EQ(brokers[2].address, "h:3");
}

TEST(GroupOverview, WithoutALeaderTheLongestJournalIsTheMeasure) {
  GroupOverview group;
  group.add(answer("b2", Duty::Electing, ""));
  group.add(answer("b3", Duty::Electing, ""));
  EXPECT_EQ(group.leader(), nullptr);
  EXPECT_EQ(group.brokers("")[2].lag, 10U);
  EXPECT_FALSE(group.brokers("")[0].lag.has_value());
  EXPECT_NE(group.no_leader_text().find("an election is under way"), std::string::npos);
}

TEST(GroupOverview, SaysHowManyAreMissingAndWhom) {
  GroupOverview group;
  group.add(answer("b2", Duty::Electing, ""));
  EXPECT_EQ(
      group.no_leader_text(),
      "nobody is in office: 2 of 3 brokers needed, 1 reachable; start one of b1, b3, or mend the network "
      "to it");
}

TEST(GroupOverview, OfTwoThatSayTheyLeadTheHigherEpochCounts) {
  GroupOverview group;
  group.add(answer("b1", Duty::Leader, "b1", 4));
  group.add(answer("b2", Duty::Leader, "b2", 5));
  ASSERT_NE(group.leader(), nullptr);
  EXPECT_EQ(group.leader()->name, "b2");
}

TEST(GroupOverview, ABrokerOfAnotherGroupIsNotTakenIn) {
  GroupOverview group;
  group.add(answer("b1", Duty::Leader, "b1"));
  BrokerStatus stranger;
  stranger.name = "x1";
  stranger.brokers = {{"x1", "h:9", 1, {}, {1}}};
  group.add(stranger);
  EXPECT_EQ(group.brokers("").size(), 3U);
}

}  // namespace
}  // namespace cidbus
