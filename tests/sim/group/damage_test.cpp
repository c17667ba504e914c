// Damage at the worst moment ends well (CONSENSUS D2 to D4); mutants_test.cpp plays the same scenes with the
// rules broken.
#include <gtest/gtest.h>

#include "tests/sim/group/damage_scenes.h"
#include "tests/sim/group/world.h"

namespace cidbus::group_sim {
namespace {

using namespace std::chrono_literals;

void ends_well(void (*play)(std::uint64_t)) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    try {
      play(seed);
    } catch (const CheckFailed& failed) {
      ADD_FAILURE() << "seed " << seed << ": " << failed.checker << ": " << failed.what;
    }
  }
}

TEST(DamageScenes, ABrokerWithADamagedEndVotesByWhatItOnceHeld) { ends_well(play_forgotten_claim); }
TEST(DamageScenes, ARecordIsGivenUpOnlyWhenNobodyHasItASecondTime) { ends_well(play_denied_once); }
TEST(DamageScenes, AVoteForAnEarlierCandidacyIsNotCounted) { ends_well(play_earlier_candidacy); }
TEST(DamageScenes, AnotherEndIsNotAcknowledged) { ends_well(play_unmatched_acknowledgement); }
TEST(DamageScenes, ANewDiskHasNoSayBeforeItWasBroughtUp) { ends_well(play_replaced_disk); }
TEST(DamageScenes, AGoalOfAnEarlierRepairMakesNobodyWhole) { ends_well(play_stale_goal); }
TEST(DamageScenes, ALeaderDeposedSinceMakesNobodyWhole) { ends_well(play_forgotten_office); }

}  // namespace
}  // namespace cidbus::group_sim
