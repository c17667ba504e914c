#include <gtest/gtest.h>

#include "tests/sim/world.h"

namespace cidbus::sim {
namespace {

constexpr std::uint64_t seeds_in_every_test_run = 200;

TEST(Simulation, ASeedReproducesARunToTheByte) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    const RunReport first = World(seed).run();
    const RunReport second = World(seed).run();
    EXPECT_EQ(first.trace, second.trace) << "seed " << seed;
    EXPECT_EQ(first.steps, second.steps) << "seed " << seed;
    EXPECT_NE(first.trace, World(seed + 100).run().trace) << "seeds must differ";
  }
}

TEST(Simulation, NothingAcceptedIsLostAndEverythingFinishesUnderFaults) {
  RunReport sum;
  for (std::uint64_t seed = 1; seed <= seeds_in_every_test_run; ++seed) {
    SCOPED_TRACE(seed);
    const RunReport run = World(seed).run();
    sum.accepted += run.accepted;
    sum.completed += run.completed;
    sum.broker_crashes += run.broker_crashes;
    sum.broker_kills += run.broker_kills;
    sum.worker_crashes += run.worker_crashes;
    sum.worker_drains += run.worker_drains;
    sum.connection_breaks += run.connection_breaks;
    sum.requeues += run.requeues;
    sum.snapshots += run.snapshots;
    sum.full_disks += run.full_disks;
    sum.silences += run.silences;
    sum.cancelled += run.cancelled;
    sum.strict_runs += run.strict_runs;
    sum.task_events += run.task_events;
    sum.rubbish += run.rubbish;
    sum.rubbish_refused += run.rubbish_refused;
  }
  // A simulation in which nothing goes wrong proves nothing.
  EXPECT_GT(sum.accepted, 10'000u);
  EXPECT_GT(sum.completed, sum.accepted / 2);
  EXPECT_GT(sum.broker_crashes, 100u);
  EXPECT_GT(sum.broker_kills, 100u);
  EXPECT_GT(sum.worker_crashes, 100u);
  EXPECT_GT(sum.worker_drains, 50u);
  EXPECT_GT(sum.connection_breaks, 100u);
  EXPECT_GT(sum.requeues, 500u);
  EXPECT_GT(sum.snapshots, 50u);
  EXPECT_GT(sum.full_disks, 50u);
  EXPECT_GT(sum.silences, 100u);
  EXPECT_GT(sum.cancelled, 200u);
  EXPECT_GT(sum.strict_runs, 2'000u);
  EXPECT_GT(sum.task_events, 10'000u);
  EXPECT_GT(sum.rubbish, 1'000u);
  EXPECT_GT(sum.rubbish_refused, 500u);
}

}  // namespace
}  // namespace cidbus::sim
