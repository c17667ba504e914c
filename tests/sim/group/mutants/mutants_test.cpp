// The checkers bite: each rule with a star, broken by itself, is noticed, by the checker named here, within
// so many seeds. This program alone is built with CIDBUS_MUTANTS (broker/consensus/rules.h).
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "broker/consensus/rules.h"
#include "tests/sim/group/damage_scenes.h"
#include "tests/sim/group/link_graphs.h"
#include "tests/sim/group/state_scenes.h"
#include "tests/sim/group/world.h"

namespace cidbus::group_sim {
namespace {

using group::Rule;

struct Caught {
  std::uint64_t seed = 0;
  std::string checker;
};

class Broken {
 public:
  explicit Broken(Rule rule) { group::broken_rule = rule; }
  ~Broken() { group::broken_rule = Rule::None; }
};

// What most is tried of.
enum class Trying : std::uint8_t { Everything, ShortOffices, LostJournals };

std::optional<Caught> caught_within(Rule rule, std::uint64_t seeds, Trying trying = Trying::Everything) {
  const Broken broken(rule);
  WorldOptions options;
  options.short_offices = trying == Trying::ShortOffices;
  options.lost_journals = trying == Trying::LostJournals;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    try {
      World(seed, options).run();
    } catch (const CheckFailed& failed) {
      return Caught{seed, failed.checker};
    }
  }
  return std::nullopt;
}

struct Mutant {
  const char* name;
  Rule rule;
  std::uint64_t seeds;                // it must be caught within so many
  std::vector<std::string> checkers;  // one of these is the first to notice
  Trying trying = Trying::Everything;
};
void PrintTo(const Mutant& mutant, std::ostream* out) { *out << mutant.name; }

class Mutants : public testing::TestWithParam<Mutant> {};

TEST_P(Mutants, IsCaught) {
  const Mutant& mutant = GetParam();
  const auto caught = caught_within(mutant.rule, mutant.seeds, mutant.trying);
  ASSERT_TRUE(caught) << mutant.name << " was not noticed in " << mutant.seeds << " seeds";
  std::cout << mutant.name << ": by '" << caught->checker << "', seed " << caught->seed << "\n";
  EXPECT_NE(std::find(mutant.checkers.begin(), mutant.checkers.end(), caught->checker), mutant.checkers.end())
      << "noticed by " << caught->checker;
}

const std::string i1 = "I1 one leader";
const std::string i3 = "I3 leader completeness";
const std::string i4 = "I4 committed never changes";
const std::string i5 = "I5 committed is held";
const std::string i10 = "I10 one vote";
const std::string ensure = "ENSURE";

INSTANTIATE_TEST_SUITE_P(
    Starred, Mutants,
    testing::Values(
        Mutant{"NoMajority", Rule::Majority, 2000, {i1, i3, ensure}},
        Mutant{"ForgottenVote", Rule::VoteKept, 2000, {i10, i1}},
        Mutant{"TwoVotes", Rule::OneVote, 2000, {i10, i1}},
        Mutant{"RankIgnored", Rule::RankOfJournal, 2000, {i3, i4, ensure}},
        Mutant{"EarlyAcknowledgement", Rule::AckAfterSync, 2000, {i5}},
        Mutant{"OwnCopyUnsynced", Rule::OwnCopySynced, 2000, {i5}},
        Mutant{"OldEpochCounted", Rule::CommitOwnEpoch, 5000, {i3, i4, ensure}, Trying::ShortOffices},
        Mutant{"AdoptingWorse", Rule::AdoptOnlyBetter, 10000, {i3, i4, i5, ensure}},
        Mutant{"VotesWhileRepairing", Rule::RepairFirst, 2000, {i3, i4, i5, ensure}},
        Mutant{"LostCounted", Rule::LostNotCounted, 2000, {i5}, Trying::LostJournals}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

// In nearly every seed what the scene is about comes about, and is noticed by the checker named.
void is_caught_in_scene(Rule rule, void (*play)(std::uint64_t), const std::string& checker = i3) {
  const Broken broken(rule);
  int caught = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    try {
      play(seed);
    } catch (const CheckFailed& failed) {
      if (failed.checker == checker) ++caught;
    }
  }
  std::cout << "noticed by it in " << caught << " of 20 seeds\n";
  EXPECT_GE(caught, 15);
}

TEST(Mutants, ForgottenClaimIsCaught) { is_caught_in_scene(Rule::ClaimKept, play_forgotten_claim); }
TEST(Mutants, DeniedOnceIsCaught) { is_caught_in_scene(Rule::DeniedTwice, play_denied_once); }
TEST(Mutants, EarlierCandidacyIsCaught) { is_caught_in_scene(Rule::OwnCandidacy, play_earlier_candidacy); }
TEST(Mutants, UnmatchedAcknowledgementIsCaught) {
  is_caught_in_scene(Rule::AckWhatMatches, play_unmatched_acknowledgement, i5);
}
TEST(Mutants, ANewDiskWithASayIsCaught) { is_caught_in_scene(Rule::NewHasNoSay, play_replaced_disk); }
TEST(Mutants, StaleGoalIsCaught) { is_caught_in_scene(Rule::FreshGoal, play_stale_goal); }
TEST(Mutants, ForgottenOfficeIsCaught) { is_caught_in_scene(Rule::OfficeKept, play_forgotten_office); }
TEST(Mutants, StatesThatNobodyComparesAreCaught) {
  is_caught_in_scene(Rule::StatesCompared, play_corrupt_standby, "R7 a wrong state is replaced");
}
TEST(Mutants, ALeaderWhoseWordAlwaysCountsIsCaught) {
  is_caught_in_scene(Rule::DigestCounts, play_corrupt_leader, "R7 an outvoted leader goes");
}

TEST(Mutants, OkWithoutLimitLeavesLinkGraphsWithoutALeader) {
  const Broken broken(Rule::OkOnce);
  for (std::uint64_t graph = 0; graph < link_graphs(5); ++graph) {
    const Settled result = settle(graph, 5, 100'000 + graph);
    if (result.required && !result.settled) {
      std::cout << "OkWithoutLimit: graph " << graph << " of 1024\n";
      return;
    }
  }
  FAIL() << "all 1,024 graphs settled";
}

TEST(Mutants, WithEveryRuleKeptNothingIsNoticed) {
  EXPECT_FALSE(caught_within(Rule::None, 100).has_value());
  EXPECT_FALSE(caught_within(Rule::None, 100, Trying::ShortOffices).has_value());
  EXPECT_FALSE(caught_within(Rule::None, 100, Trying::LostJournals).has_value());
}

}  // namespace
}  // namespace cidbus::group_sim
