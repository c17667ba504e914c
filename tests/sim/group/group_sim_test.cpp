#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

#include "tests/sim/group/world.h"

namespace cidbus::group_sim {
namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// A failing seed says how to run it again.
RunReport run_seed(std::uint64_t seed, const WorldOptions& options) {
  try {
    return World(seed, options).run();
  } catch (const CheckFailed& failed) {
    ADD_FAILURE() << "seed " << seed << ": " << failed.checker << ": " << failed.what
                  << "\n  again: CIDBUS_FIRST_SEED=" << seed
                  << " CIDBUS_SEEDS=1 group_sim_test --gtest_filter="
                  << testing::UnitTest::GetInstance()->current_test_info()->test_suite_name() << "."
                  << testing::UnitTest::GetInstance()->current_test_info()->name();
  }
  return {};
}

// Runs so many seeds, fewer or more when the environment says so, and tells what they were made of.
void run_seeds(std::uint64_t count, const WorldOptions& options) {
  const std::uint64_t first = number_from("CIDBUS_FIRST_SEED", 1);
  RunReport all;
  for (std::uint64_t seed = first; seed < first + number_from("CIDBUS_SEEDS", count); ++seed) {
    const RunReport report = run_seed(seed, options);
    all.simulated_seconds += report.simulated_seconds;
    all.offices += report.offices;
    all.acknowledged += report.acknowledged;
    all.messages += report.messages;
    for (const auto& [kind, times] : report.faults) all.faults[kind] += times;
    for (const auto& [mark, times] : report.marks) all.marks[mark] += times;
  }
  std::cout << all.simulated_seconds / 3600 << " simulated hours, " << all.offices << " offices, "
            << all.acknowledged << " submissions accepted, " << all.messages << " messages\n";
  for (const auto& [kind, times] : all.faults) std::cout << "  " << kind << ": " << times << "\n";
  for (const auto& [mark, times] : all.marks) std::cout << "  " << mark << ": " << times << "\n";
}

TEST(GroupSimulation, HoldsEveryTruthUnderFaults) { run_seeds(300, {}); }

TEST(GroupSimulation, HoldsEveryTruthWhenMostLeadersDieYoung) {
  WorldOptions options;
  options.short_offices = true;
  run_seeds(150, options);
}

TEST(GroupSimulation, HoldsEveryTruthWhenJournalsAreLostAgainAndAgain) {
  WorldOptions options;
  options.lost_journals = true;
  run_seeds(100, options);
}

// Received by a majority is what `memory` promises; so nothing crashes here, and everything else goes wrong.
TEST(GroupSimulation, HoldsEveryTruthWithDurabilityMemory) {
  WorldOptions options;
  options.durability = Durability::Memory;
  run_seeds(100, options);
}

TEST(GroupSimulation, HoldsEveryTruthFarApart) {
  WorldOptions options;
  options.timers = group::wan_timers();
  options.faults_last = std::chrono::seconds(60);
  run_seeds(30, options);
}

TEST(GroupSimulation, TheSameSeedGivesTheSameRunToTheByte) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const RunReport first = run_seed(seed, {});
    const RunReport second = run_seed(seed, {});
    EXPECT_EQ(first.trace, second.trace) << "seed " << seed;
    EXPECT_EQ(first.steps, second.steps) << "seed " << seed;
  }
}

}  // namespace
}  // namespace cidbus::group_sim
