#include "shared/node/role_policy.h"

#include <gmock/gmock.h>

namespace cidbus {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

Machine machine_of(std::uint64_t memory_mb, std::uint64_t disk_gb, double cores = 8,
                   Duration uptime = std::chrono::hours(100)) {
  Machine machine;
  machine.memory_bytes = machine.memory_available_bytes = memory_mb << 20;
  machine.disk_bytes = machine.disk_available_bytes = disk_gb << 30;
  machine.cores = cores;
  machine.uptime = uptime;
  machine.link_megabits = 1000;
  return machine;
}

TEST(RolePolicy, ChoosesTheHighestRoleThatTheMachineCanCarry) {
  struct Row {
    std::uint64_t memory_mb, disk_gb;
    bool broker_wanted;
    std::optional<Role> chosen;
  };
  for (const Row& row : std::initializer_list<Row>{{2048, 10, true, Role::Master},
                                                   {2048, 10, false, Role::Worker},
                                                   {2047, 10, true, Role::Worker},
                                                   {2048, 9, true, Role::Worker},
                                                   {1024, 5, false, Role::Worker},
                                                   {1023, 5, false, Role::Leecher},
                                                   {1024, 4, false, Role::Leecher},
                                                   {512, 1, false, Role::Leecher},
                                                   {511, 1, false, std::nullopt},
                                                   {512, 0, true, std::nullopt}}) {
    const Detection detection =
        detect_role(machine_of(row.memory_mb, row.disk_gb), default_profiles(), row.broker_wanted);
    EXPECT_EQ(detection.chosen, row.chosen) << row.memory_mb << " MB, " << row.disk_gb << " GB";
  }
}

TEST(RolePolicy, OnlyMemoryAndDiskForbidARoleTheRestScores) {
  const RoleFit fit = fit_of(machine_of(4096, 100, 1, 1h), profile_of(default_profiles(), Role::Worker));
  EXPECT_TRUE(fit.possible);
  EXPECT_EQ(fit.limiting, Resource::Uptime);
  EXPECT_DOUBLE_EQ(fit.score, 0.25);
  EXPECT_EQ(text_of(fit), "uptime 1 of 4 h");
}

TEST(RolePolicy, WhatForbidsARoleIsNamedBeforeWhatOnlyScores) {
  const RoleFit fit = fit_of(machine_of(1000, 100, 1, 1min), profile_of(default_profiles(), Role::Worker));
  EXPECT_FALSE(fit.possible);
  EXPECT_EQ(text_of(fit), "memory 1000 of 1024 MB");
  EXPECT_LT(fit.score, 0.01) << "the score is still the scarcest resource's";
}

TEST(RolePolicy, AMachineWithPlentyScoresOneAndItsLimitIsWhatItHasLeastTooMuchOf) {
  const RoleFit fit = fit_of(machine_of(4096, 1000), profile_of(default_profiles(), Role::Worker));
  EXPECT_EQ(fit.score, 1);
  EXPECT_EQ(text_of(fit), "memory 4096 of 1024 MB");
  EXPECT_EQ(fit.ratio, 4);
}

TEST(RolePolicy, AnUnknownLinkNeitherScoresNorLimits) {
  Machine machine = machine_of(65'536, 1000, 64);
  machine.link_megabits = 1;
  EXPECT_EQ(fit_of(machine, profile_of(default_profiles(), Role::Gateway)).limiting, Resource::Link);
  machine.link_megabits.reset();
  EXPECT_EQ(fit_of(machine, profile_of(default_profiles(), Role::Gateway)).score, 1);
}

TEST(RolePolicy, WhatTheProcessHoldsIsAvailableToItsRole) {
  Machine machine = machine_of(4096, 100);
  machine.memory_available_bytes = 600ULL << 20;
  EXPECT_FALSE(fit_of(machine, profile_of(default_profiles(), Role::Worker)).possible);
  machine.own_bytes = 500ULL << 20;
  EXPECT_TRUE(fit_of(machine, profile_of(default_profiles(), Role::Worker)).possible);
}

TEST(RolePolicy, GatewayAndObserverAreChosenOnlyWhereARuleNamesThem) {
  RoleProfiles profiles = default_profiles();
  profile_of(profiles, Role::Worker).automatic = false;
  EXPECT_EQ(detect_role(machine_of(4096, 100), profiles, false).chosen, Role::Leecher);
  profile_of(profiles, Role::Leecher).automatic = false;
  EXPECT_FALSE(detect_role(machine_of(4096, 100), profiles, false).chosen);
  profile_of(profiles, Role::Gateway).automatic = true;
  EXPECT_EQ(detect_role(machine_of(4096, 100), profiles, false).chosen, Role::Gateway);
}

TEST(RolePolicy, TheReasonNamesWhatWasPassedOver) {
  const Detection detection = detect_role(machine_of(600, 100), default_profiles(), true);
  EXPECT_THAT(detection.reason, HasSubstr("no master with memory 600 of 2048 MB"));
  EXPECT_THAT(detection.reason, HasSubstr("no worker with memory 600 of 1024 MB"));
  EXPECT_THAT(detect_role(machine_of(100, 100), default_profiles(), false).reason,
              HasSubstr("can carry no role: no worker with memory 100 of 1024 MB, no leecher with"));
  EXPECT_THAT(detect_role(machine_of(9000, 100), default_profiles(), false).reason, HasSubstr("master only"));
}

TEST(RolePolicy, ARefusalNamesTheFactor) {
  const RoleProfiles profiles = default_profiles();
  EXPECT_EQ(role_refusal(machine_of(4096, 100), profile_of(profiles, Role::Gateway)), "");
  EXPECT_EQ(role_refusal(machine_of(4096, 3), profile_of(profiles, Role::Gateway)),
            "this machine cannot carry a gateway: disk 3 of 5 GB");
}

TEST(RoleProfiles, StandInTheOrderOfTheRoles) {
  const RoleProfiles profiles = default_profiles();
  for (const Role role : {Role::Master, Role::Worker, Role::Leecher, Role::Gateway, Role::Observer})
    EXPECT_EQ(profile_of(profiles, role).role, role);
}

}  // namespace
}  // namespace cidbus
