#include "shared/node/health.h"

#include <gmock/gmock.h>

namespace cidbus {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t gibibyte = 1ULL << 30;

NodeSigns worker(std::string name = "w1") {
  NodeSigns signs{std::move(name), Role::Worker, MemberState::Alive, milliseconds(400), true, {}, {}, {}, {}};
  signs.load.disk_free_bytes = 100 * gibibyte;
  return signs;
}

// A group of three, of which the first so many answer; b1 leads unless told otherwise.
GroupOverview group(std::size_t reachable, bool led = true, std::uint64_t lag = 0,
                    StateTrust last = StateTrust::Good) {
  static constexpr std::array<std::string_view, 3> names{"b1", "b2", "b3"};
  GroupOverview overview;
  for (std::size_t at = 0; at < reachable; ++at) {
    BrokerStatus status;
    status.name = names[at];
    status.duty = at == 0 && led ? Duty::Leader : led ? Duty::Standby : Duty::Electing;
    status.epoch = {1};
    if (at + 1 == reachable) status.trust = last;
    status.last = status.durable = {1'000'000};
    for (const std::string_view name : names)
      status.brokers.push_back({name, "h:1", 1, {name == "b1" ? 1'000'000 : 1'000'000 - lag}, {}});
    overview.add(status);
  }
  return overview;
}

TEST(NodeHealth, FollowsFromItsOwnSigns) {
  EXPECT_EQ(health_of(worker()).status, HealthStatus::Healthy);
  NodeSigns signs = worker();
  signs.cpu_percent = 80;
  signs.memory_percent = 95;
  const Health health = health_of(signs);
  EXPECT_EQ(health.status, HealthStatus::Critical);
  EXPECT_THAT(health.reasons, ElementsAre("memory at 95 %", "CPU at 80 %")) << "the worst first";
}

TEST(NodeHealth, WhatIsNotKnownIsNeverHealthy) {
  NodeSigns signs = worker();
  signs.silent.reset();
  EXPECT_EQ(health_of(signs).status, HealthStatus::Unknown);
  signs = worker();
  signs.state = MemberState::Suspect;
  EXPECT_EQ(health_of(signs).status, HealthStatus::Unknown);
  signs.state = MemberState::Joining;
  EXPECT_EQ(health_of(signs).status, HealthStatus::Unknown);
  signs.state = MemberState::Left;
  EXPECT_EQ(health_of(signs).status, HealthStatus::Unknown);
}

TEST(NodeHealth, SilenceAndDeathAreToldBeforeAnythingElse) {
  NodeSigns signs = worker();
  signs.silent = seconds(4);
  EXPECT_EQ(health_of(signs).status, HealthStatus::Warning);
  signs.silent = seconds(60);
  EXPECT_THAT(health_of(signs).reasons, ElementsAre("silent for 60 s"));
  signs.state = MemberState::Dead;
  signs.cpu_percent = 99;
  EXPECT_THAT(health_of(signs).reasons, ElementsAre(HasSubstr("dead")));
}

TEST(NodeHealth, ADiskIsJudgedByItsShareOrElseByWhatIsFree) {
  NodeSigns signs = worker();
  signs.load.disk_free_bytes = gibibyte;
  EXPECT_EQ(health_of(signs).status, HealthStatus::Warning);
  signs.load.disk_free_bytes = 0;
  EXPECT_EQ(health_of(signs).status, HealthStatus::Critical);
  signs.disk_percent = 50;
  EXPECT_EQ(health_of(signs).status, HealthStatus::Healthy);
  signs.disk_percent.reset();
  signs.stores = false;
  EXPECT_EQ(health_of(signs).status, HealthStatus::Healthy);
}

TEST(ClusterHealth, IsHealthyWhenAllIsKnownAndWell) {
  const GroupOverview all = group(3);
  EXPECT_EQ(health_of({all, {{worker()}}, 5, {}, 0.0}).status, HealthStatus::Healthy);
}

TEST(ClusterHealth, IsUnknownWithoutAnswersOrWithoutALeadersWord) {
  EXPECT_EQ(health_of({GroupOverview(), {}, {}, {}, {}}).status, HealthStatus::Unknown);
  const GroupOverview all = group(3);
  EXPECT_EQ(health_of({all, {}, {}, {}, {}}).status, HealthStatus::Unknown);
}

TEST(ClusterHealth, BrokersThatAreMissingAreToldWithWhatMayStillFail) {
  const GroupOverview two = group(2);
  const Health warned = health_of({two, {{worker()}}, 0, {}, {}});
  EXPECT_EQ(warned.status, HealthStatus::Warning);
  EXPECT_THAT(warned.reasons, ElementsAre("of the brokers 1 cannot be reached; no further one may fail"));
  const GroupOverview one = group(1, false);
  EXPECT_EQ(health_of({one, {}, {}, {}, {}}).status, HealthStatus::Critical);
  const GroupOverview leaderless = group(3, false);
  EXPECT_EQ(health_of({leaderless, {}, {}, {}, {}}).status, HealthStatus::Critical);
  const GroupOverview slow = group(3, true, 200'000);
  EXPECT_THAT(health_of({slow, {{worker()}}, 0, {}, {}}).reasons,
              testing::Each(HasSubstr("lags by 200000 records")));
}

TEST(ClusterHealth, AStateThatIsNotTheGroupsIsAWarning) {
  const GroupOverview wrong = group(3, true, 0, StateTrust::Quarantined);
  const Health health = health_of({wrong, {{worker()}}, 0, {}, {}});
  EXPECT_EQ(health.status, HealthStatus::Warning);
  EXPECT_THAT(health.reasons, ElementsAre("broker b3: state quarantined"));
}

TEST(ClusterHealth, ASickNodeIsAWarningAndNoWorkerForTasksIsCritical) {
  const GroupOverview all = group(3);
  NodeSigns dead = worker("w2");
  dead.state = MemberState::Dead;
  const Health one = health_of({all, {{worker(), dead}}, 0, {}, {}});
  EXPECT_EQ(one.status, HealthStatus::Warning);
  EXPECT_THAT(one.reasons, ElementsAre(HasSubstr("worker w2: dead")));
  EXPECT_EQ(health_of({all, {{dead}}, 0, {}, {}}).status, HealthStatus::Warning);
  EXPECT_EQ(health_of({all, {{dead}}, 3, {}, {}}).status, HealthStatus::Critical);
}

TEST(ClusterHealth, QueueAndFailuresCount) {
  const GroupOverview all = group(3);
  EXPECT_EQ(health_of({all, {{worker()}}, 3, seconds(60), {}}).status, HealthStatus::Warning);
  EXPECT_EQ(health_of({all, {{worker()}}, 3, seconds(600), {}}).status, HealthStatus::Critical);
  EXPECT_EQ(health_of({all, {{worker()}}, 3, {}, 10.0}).status, HealthStatus::Warning);
}

TEST(ClusterHealth, ReasonsAreBounded) {
  const GroupOverview all = group(3);
  std::vector<NodeSigns> dead(100, worker());
  for (NodeSigns& node : dead) node.state = MemberState::Dead;
  const Health health = health_of({all, dead, 0, {}, {}});
  EXPECT_EQ(health.reasons.size(), health_reasons + 1);
  EXPECT_EQ(health.reasons.back(), "and 81 more");
}

}  // namespace
}  // namespace cidbus
