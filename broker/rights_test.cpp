#include "broker/rights.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

TEST(Rights, AnObserverMayLookButNotSubmit) {
  EXPECT_TRUE(may_say(Role::Observer, SnapshotRequest{}));
  EXPECT_FALSE(may_say(Role::Observer, Submit{}));
  EXPECT_FALSE(may_say(Role::Observer, Cancel{}));
  EXPECT_FALSE(may_say(Role::Observer, Place{}));
}

TEST(Rights, ALeecherSubmitsFindsAndNamesAndStoresNothingForOthers) {
  EXPECT_TRUE(may_say(Role::Leecher, Submit{}));
  EXPECT_TRUE(may_say(Role::Leecher, Find{}));
  EXPECT_TRUE(may_say(Role::Leecher, NameContent{}));
  EXPECT_FALSE(may_say(Role::Leecher, Announce{}));
  EXPECT_FALSE(may_say(Role::Leecher, Complete{}));
  EXPECT_FALSE(may_say(Role::Observer, NameContent{}));
  EXPECT_TRUE(may_say(Role::Observer, FindContent{}));
}

TEST(Rights, OnlyAWorkerCompletesOrTakesWork) {
  for (const Role role : {Role::Master, Role::Leecher, Role::Gateway, Role::Observer, Role::Client}) {
    EXPECT_FALSE(may_say(role, Complete{}));
    EXPECT_FALSE(may_say(role, Credit{}));
    EXPECT_FALSE(may_say(role, Announce{}));
  }
  EXPECT_TRUE(may_say(Role::Worker, Complete{}));
}

TEST(Rights, NobodySaysWhatOnlyBrokersSay) {
  for (const Role role : {Role::Worker, Role::Client}) {
    EXPECT_FALSE(may_say(role, Welcome{}));
    EXPECT_FALSE(may_say(role, Dispatch{}));
    EXPECT_FALSE(may_say(role, BlockReply{}));
    EXPECT_FALSE(may_say(role, Feed{}));
  }
}

}  // namespace
}  // namespace cidbus
