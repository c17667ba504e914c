// Scenes in which a broker's state is not what its journal says (CONSENSUS R7): a submission is missing in
// it, as if memory had forgotten it or a program had skipped it. Played with every rule kept, that state is
// replaced; with the rule broken that each is about, a checker notices.
//
// Thread rule: functions. Limits: none.
#pragma once

#include <cstdint>

namespace cidbus::group_sim {

// A standby's: it is replaced, and its leader keeps office.
void play_corrupt_standby(std::uint64_t seed);
// ★ A leader's: it leaves office, nobody takes its state, and it takes that of the next one.
void play_corrupt_leader(std::uint64_t seed);
// The standby's of two, where one word is against one: the leader's counts.
void play_corrupt_standby_of_two(std::uint64_t seed);
// A standby's, which lags so far behind that its leader has named many other records meanwhile; and which has
// died and come back with a snapshot of the corrupt state.
void play_corrupt_straggler(std::uint64_t seed);
// A leader's, while one of the others is not there: one word against one decides nothing until it is back.
void play_corrupt_leader_and_one_away(std::uint64_t seed);

}  // namespace cidbus::group_sim
