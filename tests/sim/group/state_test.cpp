// A state that is not the group's is replaced (CONSENSUS R7); mutants_test.cpp plays the same scenes with the
// rules broken.
#include <gtest/gtest.h>

#include "tests/sim/group/state_scenes.h"
#include "tests/sim/group/world.h"

namespace cidbus::group_sim {
namespace {

void ends_well(void (*play)(std::uint64_t)) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    try {
      play(seed);
    } catch (const CheckFailed& failed) {
      ADD_FAILURE() << "seed " << seed << ": " << failed.checker << ": " << failed.what;
    }
  }
}

TEST(StateScenes, AStandbyWithAnotherStateTakesThatOfItsLeader) { ends_well(play_corrupt_standby); }
TEST(StateScenes, ALeaderWithAnotherStateIsOutvotedAndTakesThatOfTheNext) { ends_well(play_corrupt_leader); }
TEST(StateScenes, OfTwoTheLeadersStateCounts) { ends_well(play_corrupt_standby_of_two); }
TEST(StateScenes, AStandbyThatLagsIsComparedOnceItHasCaughtUp) { ends_well(play_corrupt_straggler); }
TEST(StateScenes, OneWordAgainstOneOfThreeDecidesNothing) { ends_well(play_corrupt_leader_and_one_away); }

}  // namespace
}  // namespace cidbus::group_sim
