#include "shared/node/role_switch.h"

#include <gmock/gmock.h>

namespace cidbus {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// A node on a machine with plenty of disk, measured on a simulated clock whenever that is due.
class RoleSwitchTest : public testing::Test {
 protected:
  RoleSwitchTest() {
    for (RoleProfile& profile : profiles) {
      profile.check_every = 10s;
      profile.cool_down = 60s;
      profile.stability = 0.25;
    }
    start(Role::Worker);
  }
  void start(Role role, bool broker_wanted = false) {
    node = std::make_unique<RoleSwitch>(profiles, now, role, broker_wanted);
  }
  std::optional<RoleSwitch::Wish> measure(std::uint64_t memory_mb) {
    now = node->next();
    Machine machine;
    machine.memory_bytes = machine.memory_available_bytes = memory_mb << 20;
    machine.disk_bytes = machine.disk_available_bytes = 1000ULL << 30;
    return node->measure(now, machine);
  }
  // The first wish of so many measurements.
  std::optional<RoleSwitch::Wish> hold(std::uint64_t memory_mb, int count = 20) {
    for (int round = 0; round < count; ++round)
      if (auto wish = measure(memory_mb)) return wish;
    return std::nullopt;
  }

  RoleProfiles profiles = default_profiles();
  Monotonic now{};
  std::unique_ptr<RoleSwitch> node;
};

TEST_F(RoleSwitchTest, ALastingShortageLosesTheRole) {
  const auto wish = hold(600);  // a worker asks 1024
  ASSERT_TRUE(wish);
  EXPECT_EQ(wish->role, Role::Leecher);
  EXPECT_EQ(wish->reason, "it has had too little for a worker for long: memory 600 of 1024 MB");
}

TEST_F(RoleSwitchTest, LastingPlentyWinsAHigherRole) {
  start(Role::Leecher);
  const auto wish = hold(1400);
  ASSERT_TRUE(wish);
  EXPECT_EQ(wish->role, Role::Worker);
  EXPECT_THAT(wish->reason, HasSubstr("enough for a worker for long: memory 1400 of 1024 MB"));
}

TEST_F(RoleSwitchTest, BetweenTheTwoBoundsNothingChangesInEitherDirection) {
  EXPECT_FALSE(hold(800)) << "above 0.75 of 1024";
  start(Role::Leecher);
  EXPECT_FALSE(hold(1200)) << "below 1.25 of 1024";
}

TEST_F(RoleSwitchTest, ASpikeMovesNothing) {
  EXPECT_FALSE(hold(2000, 9));
  EXPECT_FALSE(measure(100));
  EXPECT_FALSE(hold(2000, 9));
}

TEST_F(RoleSwitchTest, AShortageThatIsPassingMovesNothing) {
  EXPECT_FALSE(hold(2000, 9));
  for (const std::uint64_t memory : {500, 500, 600, 700, 800}) EXPECT_FALSE(measure(memory)) << memory;
}

TEST_F(RoleSwitchTest, NothingChangesBeforeTheCoolDownAndAWholeWindow) {
  EXPECT_FALSE(hold(600, 5)) << "a window is there after 50 s, the cool-down is 60";
  EXPECT_TRUE(measure(600));
  node->settle(now, Role::Leecher);
  profile_of(profiles, Role::Leecher).cool_down = 0s;
  EXPECT_FALSE(hold(4000, RoleSwitch::window - 1));
  EXPECT_TRUE(measure(4000));
}

TEST_F(RoleSwitchTest, WhatDidNotComeAboutIsAskedForAgainAfterTheCoolDown) {
  ASSERT_TRUE(hold(600));
  node->settle(now, Role::Worker);
  EXPECT_FALSE(hold(600, 5));
  EXPECT_TRUE(hold(600, 1));
}

TEST_F(RoleSwitchTest, MasterIsTakenOnlyWhileABrokerIsWanted) {
  EXPECT_FALSE(hold(100'000));
  start(Role::Worker, true);
  const auto wish = hold(100'000);
  ASSERT_TRUE(wish);
  EXPECT_EQ(wish->role, Role::Master);
}

TEST_F(RoleSwitchTest, AMachineThatCanCarryNothingKeepsItsRole) { EXPECT_FALSE(hold(100)); }

TEST_F(RoleSwitchTest, ARoleThatIsNotChosenByItselfIsNeverAskedFor) {
  profile_of(profiles, Role::Leecher).automatic = false;
  EXPECT_FALSE(hold(600));
}

TEST_F(RoleSwitchTest, FluctuationAroundABoundNeverSwitchesBackAndForth) {
  int changes = 0;
  Role role = Role::Worker;
  for (int round = 0; round < 1000; ++round) {
    const auto wish = measure(round % 2 == 0 ? 700 : 1300);
    if (!wish) continue;
    ++changes;
    role = wish->role;
    node->settle(now, role);
  }
  EXPECT_EQ(changes, 0);
}

}  // namespace
}  // namespace cidbus
