#include "broker/options.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

TEST(Group, IsAListOfNamesAddressesAndPriorities) {
  const auto group = parse_group("b1=127.0.0.1:9096/3,b2=host:9196/2");
  ASSERT_TRUE(group);
  ASSERT_EQ(group->size(), 2u);
  EXPECT_EQ((*group)[1].name, "b2");
  EXPECT_EQ((*group)[1].address, "host:9196");
  EXPECT_EQ((*group)[1].priority, 2u);
}

TEST(Group, WhatMakesNoSenseIsNamed) {
  for (const char* text : {"", "b1", "b1=h:1", "b1=h/3", "=h:1/3", "b1=h:1/x", "b1=h:1/3,", "b 1=h:1/3",
                           "b1=h:1/-1", "b1=h:1/3,b1=h:2/2", "b1=h:1/3,b2=h:1/2"}) {
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
  EXPECT_EQ(server_options(flags)->endpoint, "example:9096");
}

TEST_F(BrokerOptionsTest, EachWrongFlagIsNamed) {
  flags.group = "b2=h:1/1";
  EXPECT_NE(problem().find("'b1' (--name) is not in it"), std::string::npos) << problem();
  flags.group = "b1=h:1/1,b2=h:2/1";
  EXPECT_NE(problem().find("one broker alone"), std::string::npos) << problem();
  flags.group = "";
  flags.listen = "nowhere";
  EXPECT_NE(problem().find("--listen"), std::string::npos) << problem();
  flags.listen = "127.0.0.1:9096";
  flags.durability = "quorum";
  EXPECT_NE(problem().find("--durability"), std::string::npos) << problem();
  flags.durability = "disk";
  flags.node.name = "no name";
  EXPECT_NE(problem().find("--name"), std::string::npos) << problem();
}

}  // namespace
}  // namespace cidbus
