// Scenes in which a broker's disk is damaged at the worst moment: what it has forgotten is what a majority
// was told; or it holds what nobody was told. Played with every rule kept they end well; with the rule broken
// that each is about, a checker notices.
//
// They are written out because chance finds them once in a hundred thousand seeds, if ever.
//
// Thread rule: functions. Limits: none.
#pragma once

#include <cstdint>

namespace cidbus::group_sim {

// D2 ★: a standby's newest records are damaged, the leader is dead, and the third never had them.
void play_forgotten_claim(std::uint64_t seed);
// D2 ★: a standby's newest record is damaged, and each of the others lacks it when it is asked, though at no
// moment both do: it is committed in between.
void play_denied_once(std::uint64_t seed);
// E9 ★: a broker asks for votes, dies before what it held and its own vote are on disk, and stands in the
// same epoch again; the vote that it asked for in its earlier life comes then.
void play_earlier_candidacy(std::uint64_t seed);
// R2 ★: the end of a deposed leader's log is another than its successor's, which reaches nobody else.
void play_unmatched_acknowledgement(std::uint64_t seed);
// D4 ★: a standby comes back on an empty disk, and the leader, the only one that still holds what it held, is
// dead; the third asks for its vote.
void play_replaced_disk(std::uint64_t seed);
// D3 ★: a standby loses its journal twice in one office, and is told the goal of the first time again.
void play_stale_goal(std::uint64_t seed);
// D3 ★: a standby of five loses its journal, and a leader deposed long ago, which does not know it, brings it
// up.
void play_forgotten_office(std::uint64_t seed);

}  // namespace cidbus::group_sim
