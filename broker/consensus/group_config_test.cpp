#include "broker/consensus/group_config.h"

#include <gtest/gtest.h>

namespace cidbus::group {
namespace {

std::vector<Member> three() { return {{"b3", "h:3", 1}, {"b1", "h:1", 3}, {"b2", "h:2", 2}}; }

TEST(GroupConfig, SeatsAreInTheOrderOfNamesHoweverTheListWasWritten) {
  const GroupConfig config(three(), "b2");
  EXPECT_EQ(config.self(), static_cast<Seat>(1));
  EXPECT_EQ(config.find("b3"), static_cast<Seat>(2));
  EXPECT_EQ(config.find("b4"), std::nullopt);
  EXPECT_EQ(config.majority(), 2u);
  EXPECT_EQ(config.hash(), GroupConfig({{"b1", "h:1", 3}, {"b2", "h:2", 2}, {"b3", "h:3", 1}}, "b1").hash());
}

TEST(GroupConfig, ListsThatDifferInAnythingHaveDifferentHashes) {
  const std::uint64_t hash = GroupConfig(three(), "b1").hash();
  auto other = three();
  other[0].priority = 2;
  EXPECT_NE(GroupConfig(other, "b1").hash(), hash);
  other = three();
  other[0].endpoint = "h:4";
  EXPECT_NE(GroupConfig(other, "b1").hash(), hash);
  other = three();
  other.pop_back();
  EXPECT_NE(GroupConfig(other, "b1").hash(), hash);
}

TEST(GroupConfig, TellsWhatAGroupTolerates) {
  EXPECT_EQ(tolerance_of(1), "1 broker: tolerates the loss of none; three tolerate one");
  EXPECT_EQ(tolerance_of(2), "2 brokers: tolerates the loss of none; three tolerate one");
  EXPECT_EQ(tolerance_of(3), "3 brokers: tolerates the loss of one");
  EXPECT_EQ(tolerance_of(4), "4 brokers: tolerates the loss of one, as three would; five tolerate two");
  EXPECT_EQ(tolerance_of(5), "5 brokers: tolerates the loss of two");
}

TEST(GroupConfigDeathTest, RefusesAListThatMakesNoSense) {
  EXPECT_DEATH(GroupConfig(three(), "b4"), "not in the list");
  EXPECT_DEATH(GroupConfig({{"b1", "h:1", 1}, {"b1", "h:2", 1}}, "b1"), "twice in the list");
}

TEST(Rank, TheJournalDecidesThenThePriorityThenTheName) {
  const auto rank = [](std::uint64_t epoch, std::uint64_t index, std::int32_t priority, std::uint8_t seat) {
    return Rank{{{epoch}, {index}}, priority, static_cast<Seat>(seat)};
  };
  EXPECT_GT(rank(3, 1, 0, 0), rank(2, 9, 9, 4));
  EXPECT_GT(rank(3, 2, 0, 0), rank(3, 1, 9, 4));
  EXPECT_GT(rank(3, 1, 5, 0), rank(3, 1, 4, 4));
  EXPECT_GT(rank(3, 1, 5, 1), rank(3, 1, 5, 0));
}

}  // namespace
}  // namespace cidbus::group
