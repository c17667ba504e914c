// The rules with a star in CONSENSUS.md: those without which a model or a simulation loses an accepted task.
//
// In the product every rule holds, and the compiler sees that: `holds` is a constant. One test alone is built
// with CIDBUS_MUTANTS; there a rule can be broken, to prove that the checkers of the simulation notice
// (tests/sim/group/mutants_test.cpp).
//
// Thread rule: values. Limits: none.
#pragma once

#include <cstdint>

namespace cidbus::group {

enum class Rule : std::uint8_t {
  None,
  Majority,         // E9: votes of a majority, not of everyone within reach
  OwnCandidacy,     // E9: for the own current epoch, and this life's candidacy in it
  VoteKept,         // E7: the vote is on disk before it is told
  OneVote,          // E7: one candidate an epoch
  RankOfJournal,    // E7: nobody is elected whose journal lacks what the voter holds
  OkOnce,           // E4: each better broker suppresses a worse one once a vacancy
  AckAfterSync,     // R2: a follower acknowledges what is on its disk
  AckWhatMatches,   // R2: and of that only what is known equal to the leader's
  OwnCopySynced,    // R1: a leader counts its own copy once it is on its disk
  CommitOwnEpoch,   // R3: copies of an earlier office's records are not counted
  ClaimKept,        // D2: a damaged broker votes by what it once held
  DeniedTwice,      // D2: a damaged record that nobody has is cut when all have said so a second time
  RepairFirst,      // D3: who lost its journal neither votes nor counts before it was brought up again
  LostNotCounted,   // D3: what it acknowledged before its journal was lost does not count any more
  FreshGoal,        // D3: the goal of a repair answers this very request
  NewHasNoSay,      // D4: nor does a new folder that has to be brought up, among brokers that hold anything
  OfficeKept,       // D3: the office of the newest batch is known without the journal
  AdoptOnlyBetter,  // E8: a journal is taken over only while it is the better one
  StatesCompared,   // R7: a state that is not the group's is replaced
  DigestCounts,     // R7: and the leader's is the group's only when no majority can have another one
};

#ifdef CIDBUS_MUTANTS
inline Rule broken_rule = Rule::None;  // set by the test before a run; a test program's only
inline bool holds(Rule rule) { return rule != broken_rule; }
#else
constexpr bool holds(Rule) { return true; }
#endif

}  // namespace cidbus::group
