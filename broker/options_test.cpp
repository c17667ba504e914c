#include "broker/options.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

TEST(Group, IsAListOfNamesAddressesAndPriorities) {
  const auto group = parse_group("b1=127.0.0.1:9096/3,b2=host:9196/2");
  ASSERT_TRUE(group);
  ASSERT_EQ(group->size(), 2u);
  EXPECT_EQ((*group)[1].name, "b2");
  EXPECT_EQ((*group)[1].endpoint, "host:9196");
  EXPECT_EQ((*group)[1].priority, 2);
}

TEST(Group, WhatMakesNoSenseIsNamed) {
  for (const char* text : {"", "b1", "b1=h:1", "b1=h/3", "=h:1/3", "b1=h:1/x", "b1=h:1/3,", "b 1=h:1/3",
                           "b1=h:1/-1", "b1=h:1/1001", "b1=h:1/3,b1=h:2/2", "b1=h:1/3,b2=h:1/2"}) {
    const auto group = parse_group(text);
    ASSERT_FALSE(group) << text;
    EXPECT_EQ(group.error().kind, FaultKind::BadUsage);
  }
}

class BrokerOptionsTest : public ::testing::Test {
 protected:
  BrokerFlags flags;
  void SetUp() override {
    flags.node.name = "b1";
    flags.data = "d";
  }
  std::string problem() {
    const auto options = server_options(flags);
    return options ? "" : options.error().message;
  }
};

TEST_F(BrokerOptionsTest, OneBrokerIsAGroupOfOneWithOrWithoutGroup) {
  EXPECT_EQ(problem(), "");
  flags.group = "b1=example:9096/3";
  ASSERT_EQ(problem(), "");
  const group::GroupConfig config = server_options(flags)->group;
  EXPECT_EQ(config.at(config.self()).endpoint, "example:9096");
  EXPECT_EQ(config.durability, Durability::Disk);
}

TEST_F(BrokerOptionsTest, SeveralBrokersAreAGroupWhoseDurabilityIsAQuorum) {
  flags.group = "b1=h:1/1,b2=h:2/2,b3=h:3/3";
  flags.profile = "wan";
  flags.no_preempt = true;
  ASSERT_EQ(problem(), "");
  const group::GroupConfig config = server_options(flags)->group;
  EXPECT_EQ(config.size(), 3u);
  EXPECT_EQ(config.durability, Durability::Quorum);
  EXPECT_FALSE(config.preempt);
  EXPECT_EQ(config.timers.heartbeat, group::wan_timers().heartbeat);
  flags.durability = "disk";
  EXPECT_NE(problem().find("take quorum or memory"), std::string::npos) << problem();
  flags.durability = "memory";
  EXPECT_EQ(problem(), "");
  flags.group = "b1=h:1/1,b2=h:2/1,b3=h:3/1,b4=h:4/1,b5=h:5/1,b6=h:6/1";
  EXPECT_NE(problem().find("a group has 5 at the most"), std::string::npos) << problem();
}

TEST_F(BrokerOptionsTest, EachWrongFlagIsNamed) {
  flags.group = "b2=h:1/1";
  EXPECT_NE(problem().find("'b1' (--name) is not in it"), std::string::npos) << problem();
  flags.group = "";
  flags.listen = "nowhere";
  EXPECT_NE(problem().find("--listen"), std::string::npos) << problem();
  flags.listen = "127.0.0.1:9096";
  flags.durability = "quorum";
  EXPECT_NE(problem().find("--durability"), std::string::npos) << problem();
  flags.durability = "";
  flags.profile = "moon";
  EXPECT_NE(problem().find("--profile"), std::string::npos) << problem();
  flags.node.name = "no name";
  EXPECT_NE(problem().find("--name"), std::string::npos) << problem();
}

}  // namespace
}  // namespace cidbus
