// A damaged journal as its broker's core sees it, scene by scene (CONSENSUS D1 to D3; transcript.h). Whole
// groups under damage are tests/sim/group's.
#include <gtest/gtest.h>

#include "broker/consensus/transcript.h"

namespace cidbus::group {
namespace {

// D1: whoever has a batch of that identity is right, leader or not; the others are asked in turn.
TEST(DamageScenes, HolesAreRefilledFromWhoeverHasThem) {
  Transcript broker("b2", {4}, {"2/1-3", "4/4-5!", "4/6-6", "4/7-7!"});
  const std::string scene = R"(wait 0
  to b3 e4: FETCH holes 4/4-5 4/7-7
b3 HOLES e4
wait 1
  to b1 e4: FETCH holes 4/4-5 4/7-7
b1 HOLES e4 4/4-5 4/7-7
  refill 4/4-5
  refill 4/7-7
disk hole
b1 HOLES e4 4/4-5
wait 1
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// D2: it votes by what it held, acknowledges what it holds, and takes what comes behind.
TEST(DamageScenes, HolesLowerWhatIsAcknowledgedAndNotWhatIsVotedBy) {
  Transcript broker("b2", {4}, {"2/1-3", "4/4-5!", "4/6-6"});
  const std::string scene = R"(b1 ELECTION 1 4/5 3
  to b1 e4: NAY stale
b1 VOTE_REQ e5 4/5
  to b1 e5: VOTE refused
b1 VOTE_REQ e6 4/6
  write vote e6 for b1
disk vote
  to b1 e6: VOTE granted
b1 APPEND e6 4/6 0 6/7-7
  leader b1
  write 6/7-7 office 6
  to b1 e6: APPEND_ACK match 7 durable 3
disk batches
b1 BEAT e6 7 6/7
  to b1 e6: BEAT_ACK durable 3
b3 HOLES e6 4/4-5
  refill 4/4-5
disk hole
  to b1 e6: APPEND_ACK match 7 durable 7
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// D2: below its claim a broker only asks.
TEST(DamageScenes, ABrokerWithHolesDoesNotStand) {
  Transcript broker("b1", {4}, {"4/1-3", "4/4-5!"});
  const std::string scene = R"(wait 300
  to b2 e4: FETCH holes 4/4-5
  to b3 e4: FETCH holes 4/4-5
  to b2 e4: ELECTION 4/3 prio -1
  to b3 e4: ELECTION 4/3 prio -1
b2 AYE 1 4/3 2
b3 AYE 1 4/3 1
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// What nobody else's log has, asked a second time, was never at a majority.
TEST(DamageScenes, WhatNobodyElseEverHadIsCut) {
  Transcript broker("b2", {4}, {"4/1-3", "4/4-5!", "4/6-6"});
  const std::string scene = R"(wait 0
  to b3 e4: FETCH holes 4/4-5
b3 HOLES e4
wait 1
  to b1 e4: FETCH holes 4/4-5
b1 HOLES e4
wait 1
  to b3 e4: FETCH holes 4/4-5
b3 HOLES e4
wait 1
  to b1 e4: FETCH holes 4/4-5
b1 HOLES e4
  cut from 4
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// What others have damaged too may have counted, unless it is the very tail.
TEST(DamageScenes, WhatOthersHaveDamagedTooIsCutOnlyAtTheVeryTail) {
  Transcript inside("b2", {4}, {"4/1-3", "4/4-5!", "4/6-6"});
  const std::string kept = R"(wait 0
  to b3 e4: FETCH holes 4/4-5
b3 HOLES e4 damaged
wait 1
  to b1 e4: FETCH holes 4/4-5
b1 HOLES e4
wait 1
  to b3 e4: FETCH holes 4/4-5
b3 HOLES e4 damaged
wait 1
  to b1 e4: FETCH holes 4/4-5
b1 HOLES e4
)";
  EXPECT_EQ(inside.play(kept), kept);
  Transcript tail("b2", {4}, {"4/1-3", "4/4-5!", "4/6-6!"});
  const std::string cut = R"(wait 0
  to b3 e4: FETCH holes 4/4-5 4/6-6
b3 HOLES e4 damaged
wait 1
  to b1 e4: FETCH holes 4/4-5 4/6-6
b1 HOLES e4
wait 1
  to b3 e4: FETCH holes 4/4-5 4/6-6
b3 HOLES e4 damaged
wait 1
  to b1 e4: FETCH holes 4/4-5 4/6-6
b1 HOLES e4
  cut from 4
)";
  EXPECT_EQ(tail.play(cut), cut);
}

// What the leader holds only in a snapshot comes as one: it is told where this log really ends.
TEST(DamageScenes, AHoleThatTheLeaderHasFreedMakesItSendItsState) {
  Transcript broker("b2", {4}, {"4/1-3", "4/4-5!", "4/6-6"});
  const std::string scene = R"(b1 BEAT e4 6 4/6
  leader b1
  to b1 e4: BEAT_ACK durable 3
wait 0
  to b3 e4: FETCH holes 4/4-5
b3 HOLES e4 freed
b1 HOLES e4 freed
  to b1 e4: APPEND_ACK no, holds 4/3
)";
  EXPECT_EQ(broker.play(scene), scene);
}

TEST(DamageScenes, OthersAreHelpedWithWhatIsHeldIntact) {
  Transcript broker("b2", {4}, {"2/1-3", "4/4-5!", "4/6-6"});
  const std::string scene = R"(wait 0
  to b3 e4: FETCH holes 4/4-5
b1 APPEND e4 4/6 0 4/7-7
  leader b1
  write 4/7-7 office 4
  to b1 e4: APPEND_ACK match 7 durable 3
b3 WANTS e4 4/7-7
  to b3 e4: FETCH_DATA of holes 4/7-7
b3 WANTS e4 4/4-5
  to b3 e4: FETCH_DATA of holes, damaged too
b3 WANTS e4 4/6-6
  read from 6
b3 WANTS e4 3/4-5
  to b3 e4: FETCH_DATA of holes, not held
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// D3: no votes, no candidacy, nothing counts, until all that the leader had when it was asked is on disk.
TEST(DamageScenes, ALostJournalIsBroughtUpByTheLeader) {
  Transcript broker("b2", {4}, {}, 3, Durability::Quorum, true);
  const std::string scene = R"(wait 1000
b3 ELECTION 1 4/5 1
  to b3 e4: NAY unfit
b3 VOTE_REQ e5 4/5
  to b3 e5: VOTE refused
b1 BEAT e6 7 6/7
  leader b1
  to b1 e6: BEAT_ACK durable 0
  to b1 e6: REPAIR_REQ
wait 0
b1 APPEND e6 0/0 5 2/1-3 6/4-7
  write 2/1-3 office 6
  write 6/4-7 office 6
b1 GOAL e6 3 stale
b1 GOAL e6 7
disk batches
  to b1 e6: APPEND_ACK match 7 durable 7 provisional
  write repaired
b1 BEAT e6 7 6/7
  to b1 e6: BEAT_ACK durable 0
disk repaired
b1 BEAT e6 7 6/7
  to b1 e6: BEAT_ACK durable 7
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// A goal counts within its epoch: in the next one the leader's log may be another.
TEST(DamageScenes, AGoalEndsWithItsEpoch) {
  Transcript broker("b2", {4}, {}, 3, Durability::Quorum, true);
  const std::string scene = R"(b1 BEAT e6 3 2/3
  leader b1
  to b1 e6: BEAT_ACK durable 0
  to b1 e6: REPAIR_REQ
b1 GOAL e6 3
b3 BEAT e7 3 7/4
  leader nobody
  leader b3
  to b3 e7: BEAT_ACK durable 0
  to b3 e7: REPAIR_REQ
b1 GOAL e6 3
  to b1 e7: BEAT_ACK durable 0
b3 APPEND e7 0/0 5 2/1-3
  write 2/1-3 office 7
disk batches
  to b3 e7: APPEND_ACK match 3 durable 3 provisional
b3 GOAL e7 3
  write repaired
)";
  EXPECT_EQ(broker.play(scene), scene);
}

TEST(DamageScenes, ALeaderTellsItsNewestRecordAndAsksWhatIsHeld) {
  Transcript broker("b1", {4}, {"4/1-5"});
  broker.play("wait 300\nb2 AYE 1 4/5 2\nb3 AYE 1 4/5 1\nb2 VOTE e5 granted\ndisk vote\npropose 1\n");
  const std::string scene = R"(b3 REPAIR_REQ e5
  to b3 e5: REPAIR_GOAL 6
  to b3 e5: APPEND behind 5/6 commit 0
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// D3: what it acknowledged before is gone, and what the network still carries of it is no word of this life.
// It counts again from the answer on to a BEAT that was sent after it had asked.
TEST(DamageScenes, WhoLostItsJournalIsNotCountedForWhatItHeld) {
  Transcript broker("b1", {4}, {"4/1-5"});
  broker.play("wait 300\nb2 AYE 1 4/5 2\nb3 AYE 1 4/5 1\nb2 VOTE e5 granted\ndisk vote\npropose 1\nwait 1\n");
  const std::string scene = R"(b3 APPEND_ACK e5 6 6
b3 REPAIR_REQ e4
b3 REPAIR_REQ e5
  to b3 e5: REPAIR_GOAL 6
  to b3 e5: APPEND behind 5/6 commit 0
disk batches
b3 APPEND_ACK e5 6 6
b3 BEAT_ACK e5 6
wait 50
  to b2 e5: BEAT commit 0
  to b3 e5: BEAT commit 0
b3 APPEND_ACK e5 6 6
b3 BEAT_ACK e5 6
wait 50
  to b2 e5: BEAT commit 6
  to b3 e5: BEAT commit 6
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// D4: a new folder may stand in the place of one that was lost. It is brought up like one without a journal.
TEST(DamageScenes, ANewFolderHasNoSayAmongBrokersThatHoldAnything) {
  Transcript broker("b2", {0}, {}, 3, Durability::Quorum, true, true);
  const std::string scene = R"(b3 ELECTION 1 4/5 1
  to b3 e0: NAY unfit
b3 VOTE_REQ e5 4/5
  to b3 e5: VOTE refused
b1 APPEND e6 0/0 0 2/1-3
  leader b1
  write 2/1-3 office 6
  to b1 e6: REPAIR_REQ
disk batches
  to b1 e6: APPEND_ACK match 3 durable 3 provisional
b1 GOAL e6 3
  write repaired
b3 ELECTION 2 0/0 1
  to b3 e6: NAY leader alive
disk repaired
b1 BEAT e6 3 2/3
  to b1 e6: BEAT_ACK durable 3
)";
  EXPECT_EQ(broker.play(scene), scene);
}

TEST(DamageScenes, ANewFolderThatHoldsSomethingFoundsNothing) {
  Transcript broker("b1", {4}, {"4/1-3"}, 3, Durability::Quorum, true, true);
  const std::string scene = R"(wait 1000
b3 ELECTION 1 0/0 1
  to b3 e4: NAY unfit
b3 VOTE_REQ e5 0/0
  to b3 e5: VOTE refused
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// D4: all that hold nothing found the group. Who voted is one of it from then on, whatever becomes of the
// candidate.
TEST(DamageScenes, NewFoldersFoundAGroup) {
  Transcript voter("b3", {0}, {}, 3, Durability::Quorum, true, true);
  const std::string votes = R"(b1 ELECTION 1 0/0 3
  to b1 e0: AYE
b1 VOTE_REQ e1 0/0
  write vote e1 for b1, founding
disk vote
  to b1 e1: VOTE granted
b2 VOTE_REQ e2 1/1
  write vote e2 for b2
)";
  EXPECT_EQ(voter.play(votes), votes);
  Transcript candidate("b1", {0}, {}, 3, Durability::Quorum, true, true);
  const std::string stands = R"(wait 300
  to b2 e0: ELECTION 0/0 prio 3
  to b3 e0: ELECTION 0/0 prio 3
b2 AYE 1 0/0 2
b3 AYE 1 0/0 1
  write vote e1 for b1
  to b2 e1: VOTE_REQ 0/0
  to b3 e1: VOTE_REQ 0/0
disk vote
b2 VOTE e1 granted
  leader b1
  write repaired
disk repaired
  take office e1
)";
  EXPECT_EQ(candidate.play(stands), stands);
}

}  // namespace
}  // namespace cidbus::group
