// The rules of the group as one broker sees them, scene by scene: what arrives, and everything that comes of
// it (transcript.h). Whole groups under faults are tests/sim/group's.
#include "broker/consensus/group.h"

#include <gtest/gtest.h>

#include "broker/consensus/transcript.h"

namespace cidbus::group {
namespace {

// A majority of one is a majority: it stands at once, and serves when its OPEN is on disk.
TEST(GroupScenes, GroupOfOneTakesOfficeByItself) {
  Transcript broker("b1", {4}, {"2/1-3", "4/4-5"}, 1, Durability::Disk);
  const std::string scene = R"(wait 0
  write vote e5 for b1
disk vote
  leader b1
  take office e5
propose 1
  write 5/6-6 office 5
disk batches
read
  waits for round 1
  reads of round 1 are confirmed
)";
  EXPECT_EQ(broker.play(scene), scene);
}

TEST(GroupScenes, GroupOfOneWithDurabilityMemoryCommitsWhatItReceived) {
  Transcript broker("b1", {0}, {}, 1, Durability::Memory);
  const std::string scene = R"(wait 0
  write vote e1 for b1
disk vote
  leader b1
  take office e1
propose 1
  write 1/1-1 office 1
read
  waits for round 1
  reads of round 1 are confirmed
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// E1, E2, E5, E6, E9, R1, R3.
TEST(GroupScenes, LeaderIsElectedByAMajorityOnDisk) {
  Transcript broker("b1", {4}, {"2/1-3", "4/4-5"});
  const std::string scene = R"(wait 300
  to b2 e4: ELECTION 4/5 prio 3
  to b3 e4: ELECTION 4/5 prio 3
b2 AYE 1 4/5 2
b3 AYE 1 4/5 1
  write vote e5 for b1
  to b2 e5: VOTE_REQ 4/5
  to b3 e5: VOTE_REQ 4/5
b2 VOTE e5 granted
disk vote
  leader b1
  take office e5
propose 1
  write 5/6-6 office 5
  to b2 e5: APPEND behind 4/5 commit 0 5/6-6
  to b3 e5: APPEND behind 4/5 commit 0 5/6-6
b2 APPEND_ACK e5 6 0
disk batches
b2 APPEND_ACK e5 6 6
wait 1
  to b2 e5: BEAT commit 6
  to b3 e5: BEAT commit 6
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// E3.1 and E7: not even the epoch is adopted, until T_stick has passed. Then the old leader learns the new
// epoch.
TEST(GroupScenes, LivingLeaderIsDefended) {
  Transcript broker("b3", {5}, {"4/1-5"});
  const std::string scene = R"(b1 BEAT e5 0 4/5
  leader b1
  to b1 e5: BEAT_ACK durable 5
b2 ELECTION 1 4/5 2
  to b2 e5: NAY leader alive
b2 VOTE_REQ e6 4/5
wait 250
b2 VOTE_REQ e6 4/5
  leader nobody
  write vote e6 for b2
disk vote
  to b2 e6: VOTE granted
b1 BEAT e5 0 4/5
  to b1 e6: BEAT_ACK durable 0
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// E7, H3: an offer that comes late is over. A leader knows what it has offered; a voter that holds a record
// behind the offer knows that too. Neither adopts the epoch.
TEST(GroupScenes, LateOfferOfTheOfficeIsIgnored) {
  Transcript leader("b1", {4}, {"4/1-5"});
  leader.play("wait 300\nb2 AYE 1 4/5 2\nb3 AYE 1 4/5 1\nb2 VOTE e5 granted\ndisk vote\npropose 1\n");
  const std::string late = R"(b2 VOTE_REQ e6 5/6 token 7
)";
  EXPECT_EQ(leader.play(late), late);
  Transcript voter("b3", {5}, {"5/1-6", "5/7-7"});
  const std::string scene = R"(b1 BEAT e5 6 5/7
  leader b1
  to b1 e5: BEAT_ACK durable 7
b2 VOTE_REQ e6 5/6 token 7
b2 VOTE_REQ e6 5/7 token 7
  leader nobody
  write vote e6 for b2
)";
  EXPECT_EQ(voter.play(scene), scene);
}

// E7. The second request of the same candidate is answered at once: the vote is on disk.
TEST(GroupScenes, OneVoteAnEpochAndOnlyForWhoHasEverything) {
  Transcript broker("b3", {5}, {"4/1-5"});
  const std::string scene = R"(b1 VOTE_REQ e6 4/4
  to b1 e6: VOTE refused
b1 VOTE_REQ e6 5/2
  write vote e6 for b1
disk vote
  to b1 e6: VOTE granted
b2 VOTE_REQ e6 5/9
  to b2 e6: VOTE refused
b1 VOTE_REQ e6 5/2
  to b1 e6: VOTE granted
b2 VOTE_REQ e5 5/9
  to b2 e6: VOTE refused
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// R2: acknowledged is what the disk has. What differs from the leader's log is cut. Whoever leads in a lower
// epoch is told.
TEST(GroupScenes, FollowerWritesCutsAndAcknowledges) {
  Transcript broker("b3", {4}, {"2/1-3", "4/4-5"});
  const std::string scene = R"(b1 APPEND e5 4/5 3 5/6-6
  leader b1
  write 5/6-6 office 5
  to b1 e5: APPEND_ACK match 6 durable 5
disk batches
  to b1 e5: APPEND_ACK match 6 durable 6
b1 APPEND e5 5/9 3 5/10-10
  to b1 e5: APPEND_ACK no, holds 5/6
b1 APPEND e5 5/6 3
  to b1 e5: APPEND_ACK match 6 durable 6
b1 APPEND e4 4/5 0
  to b1 e5: BEAT_ACK durable 0
b2 APPEND e7 2/3 3 6/4-4
  leader nobody
  leader b2
  cut from 4
  write 6/4-4 office 7
  to b2 e7: APPEND_ACK match 4 durable 3
)";
  EXPECT_EQ(broker.play(scene), scene);
}

TEST(GroupScenes, CommittedRecordsAreAppliedInOrder) {
  Transcript broker("b3", {4}, {"4/1-5"});
  const std::string scene = R"(b1 APPEND e5 4/5 0 5/6-6 5/7-8
  leader b1
  write 5/6-6 office 5
  write 5/7-8 office 5
  to b1 e5: APPEND_ACK match 8 durable 5
b1 BEAT e5 6 5/8
  to b1 e5: BEAT_ACK durable 5
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// R2: an epoch a round trip. A position that it does not hold is asked for from below.
TEST(GroupScenes, LeaderSearchesWhereTheLogsPart) {
  Transcript broker("b1", {4}, {"2/1-3", "4/4-5"});
  const std::string scene = R"(wait 300
  to b2 e4: ELECTION 4/5 prio 3
  to b3 e4: ELECTION 4/5 prio 3
b2 AYE 1 4/5 2
b3 AYE 1 4/5 1
  write vote e5 for b1
  to b2 e5: VOTE_REQ 4/5
  to b3 e5: VOTE_REQ 4/5
b2 VOTE e5 granted
disk vote
  leader b1
  take office e5
propose 1
  write 5/6-6 office 5
  to b2 e5: APPEND behind 4/5 commit 0 5/6-6
  to b3 e5: APPEND behind 4/5 commit 0 5/6-6
b3 APPEND_ACK e5 reject 5 3/5
  to b3 e5: APPEND behind 2/3 commit 0
b3 APPEND_ACK e5 reject 3 1/2
  to b3 e5: APPEND behind 0/0 commit 0
b3 APPEND_ACK e5 0 0
  read from 1
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// E9: T_q after the last beat that a majority answered.
TEST(GroupScenes, LeaderWithoutAMajorityStepsDown) {
  Transcript broker("b1", {4}, {"4/1-5"});
  const std::string scene = R"(wait 300
  to b2 e4: ELECTION 4/5 prio 3
  to b3 e4: ELECTION 4/5 prio 3
b2 AYE 1 4/5 2
b3 AYE 1 4/5 1
  write vote e5 for b1
  to b2 e5: VOTE_REQ 4/5
  to b3 e5: VOTE_REQ 4/5
b2 VOTE e5 granted
disk vote
  leader b1
  take office e5
wait 299
  to b2 e5: BEAT commit 0
  to b3 e5: BEAT commit 0
  to b2 e5: BEAT commit 0
  to b3 e5: BEAT commit 0
  to b2 e5: BEAT commit 0
  to b3 e5: BEAT commit 0
  to b2 e5: BEAT commit 0
  to b3 e5: BEAT commit 0
  to b2 e5: BEAT commit 0
  to b3 e5: BEAT commit 0
  to b2 e5: BEAT commit 0
  to b3 e5: BEAT commit 0
b2 BEAT_ACK e5 5
wait 280
  to b2 e5: BEAT commit 0
  to b3 e5: BEAT commit 0
  to b2 e5: BEAT commit 0
  to b3 e5: BEAT commit 0
  to b2 e5: BEAT commit 0
  to b3 e5: BEAT commit 0
  to b2 e5: BEAT commit 0
  to b3 e5: BEAT commit 0
  to b2 e5: BEAT commit 0
  to b3 e5: BEAT commit 0
  leave office e5: no majority answers it
  leader nobody
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// The general epoch rule.
TEST(GroupScenes, LeaderOfAnOlderEpochStepsDown) {
  Transcript broker("b1", {4}, {"4/1-5"});
  const std::string scene = R"(wait 300
  to b2 e4: ELECTION 4/5 prio 3
  to b3 e4: ELECTION 4/5 prio 3
b2 AYE 1 4/5 2
b3 AYE 1 4/5 1
  write vote e5 for b1
  to b2 e5: VOTE_REQ 4/5
  to b3 e5: VOTE_REQ 4/5
b2 VOTE e5 granted
disk vote
  leader b1
  take office e5
b3 BEAT_ACK e9 5
  leave office e5: a higher epoch began
  leader nobody
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// E1: T_disc after the connection broke. A peer that has not noticed yet makes it ask again, not step back.
TEST(GroupScenes, KilledLeaderIsMissedAtOnce) {
  Transcript broker("b2", {4}, {"4/1-5"});
  const std::string scene = R"(b1 BEAT e4 0 4/5
  leader b1
  to b1 e4: BEAT_ACK durable 5
b1 gone
wait 10
  to b1 e4: ELECTION 4/5 prio 2
  to b3 e4: ELECTION 4/5 prio 2
b3 NAY 1 4/5 1
wait 10
  to b1 e4: ELECTION 4/5 prio 2
  to b3 e4: ELECTION 4/5 prio 2
b3 AYE 2 4/5 1
  leader nobody
  write vote e5 for b2
  to b1 e5: VOTE_REQ 4/5
  to b3 e5: VOTE_REQ 4/5
)";
  EXPECT_EQ(broker.play(scene), scene);
}

TEST(GroupScenes, TwoWitnessesAreAsGoodAsTDisc) {
  Transcript broker("b3", {4}, {"4/1-5"});
  const std::string scene = R"(b1 BEAT e4 0 4/5
  leader b1
  to b1 e4: BEAT_ACK durable 5
b1 gone
b2 ELECTION 1 4/5 2
  to b2 e4: AYE
)";
  EXPECT_EQ(broker.play(scene), scene);
}

TEST(GroupScenes, ReturningConnectionIsNoDeath) {
  Transcript broker("b3", {4}, {"4/1-5"});
  const std::string scene = R"(b1 BEAT e4 0 4/5
  leader b1
  to b1 e4: BEAT_ACK durable 5
b1 gone
wait 5
b1 back
wait 20
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// E8: from the last common point, and only while the other's is the better one; then it asks again.
TEST(GroupScenes, BrokerWithoutTheBestJournalFetchesIt) {
  Transcript broker("b1", {4}, {"2/1-3", "3/4-6"});
  const std::string scene = R"(wait 300
  to b2 e4: ELECTION 3/6 prio 3
  to b3 e4: ELECTION 3/6 prio 3
b2 NAY 1 4/5 2 stale
wait 25
  to b2 e4: FETCH behind 3/6
b2 FETCH_DATA e4 2/3 4/5 4/4-5
  cut from 4
  write 4/4-5 office 4
  to b2 e4: ELECTION 4/5 prio 3
  to b3 e4: ELECTION 4/5 prio 3
b2 AYE 2 4/5 2
wait 25
  write vote e5 for b1
  to b2 e5: VOTE_REQ 4/5
  to b3 e5: VOTE_REQ 4/5
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// E8: the answer is late, and no longer better ★.
TEST(GroupScenes, BetterJournalIsNotGivenUp) {
  Transcript broker("b1", {4}, {"2/1-3", "4/4-5"});
  const std::string scene = R"(wait 300
  to b2 e4: ELECTION 4/5 prio 3
  to b3 e4: ELECTION 4/5 prio 3
b2 NAY 1 4/9 2 stale
wait 25
  to b2 e4: FETCH behind 4/5
b2 FETCH_DATA e4 2/3 3/9 3/4-9
  to b2 e4: ELECTION 4/5 prio 3
  to b3 e4: ELECTION 4/5 prio 3
)";
  EXPECT_EQ(broker.play(scene), scene);
}

TEST(GroupScenes, FetchIsAnsweredFromTheLastCommonPoint) {
  Transcript broker("b2", {4}, {"2/1-3", "4/4-5"});
  const std::string scene = R"(b1 APPEND e4 4/5 0 4/6-6
  leader b1
  write 4/6-6 office 4
  to b1 e4: APPEND_ACK match 6 durable 5
b3 FETCH e4 4/5
  to b3 e4: FETCH_DATA behind 4/5 of 4/6 4/6-6
b3 FETCH e4 3/7
  read from 4
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// Section 9: one round serves all reads that came before it was sent.
TEST(GroupScenes, ReadsAreConfirmedByARoundOfBeats) {
  Transcript broker("b1", {4}, {"4/1-5"});
  const std::string scene = R"(wait 300
  to b2 e4: ELECTION 4/5 prio 3
  to b3 e4: ELECTION 4/5 prio 3
b2 AYE 1 4/5 2
b3 AYE 1 4/5 1
  write vote e5 for b1
  to b2 e5: VOTE_REQ 4/5
  to b3 e5: VOTE_REQ 4/5
b2 VOTE e5 granted
disk vote
  leader b1
  take office e5
propose 1
  write 5/6-6 office 5
  to b2 e5: APPEND behind 4/5 commit 0 5/6-6
  to b3 e5: APPEND behind 4/5 commit 0 5/6-6
disk batches
b2 APPEND_ACK e5 6 6
read
  waits for round 1
  to b2 e5: BEAT commit 6 round 1
  to b3 e5: BEAT commit 6 round 1
read
  waits for round 2
read
  waits for round 2
b2 BEAT_ACK e5 6 round 1
  reads of round 1 are confirmed
  to b2 e5: BEAT commit 6 round 2
  to b3 e5: BEAT commit 6 round 2
b3 BEAT_ACK e5 6 round 2
  reads of round 2 are confirmed
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// Section 8: it is not counted, does not stand, and votes.
TEST(GroupScenes, BrokerWithAFullDiskSaysSoAndVotes) {
  Transcript broker("b3", {4}, {"4/1-5"});
  const std::string scene = R"(full
b1 APPEND e5 4/5 0
  leader b1
  to b1 e5: APPEND_ACK match 5 durable 5 disk full
wait 300
b2 VOTE_REQ e6 4/5
  leader nobody
  write vote e6 for b2
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// A restarted broker reads its journal again before it can serve: meanwhile one that can at once is the
// better.
TEST(GroupScenes, BrokerThatHasMuchToApplyIsUnfitUntilItHas) {
  Transcript broker("b1", {4}, {"4/1-3", "4/4-5"});
  const std::string scene = R"(b3 BEAT e4 5 4/5
  leader b3
  to b3 e4: BEAT_ACK durable 5
wait 300
  to b2 e4: ELECTION 4/5 prio -1
  to b3 e4: ELECTION 4/5 prio -1
apply 4/1-3 4/4-5
  applied to 3
  applied to 5
b2 ELECTION 1 4/5 2
  to b2 e4: OK
)";
  EXPECT_EQ(broker.play(scene), scene);
}

TEST(GroupScenes, WithDurabilityMemoryReceivedIsAcknowledged) {
  Transcript broker("b3", {4}, {"4/1-5"}, 3, Durability::Memory);
  const std::string scene = R"(b1 APPEND e5 4/5 0 5/6-6
  leader b1
  write 5/6-6 office 5
  to b1 e5: APPEND_ACK match 6 durable 5
)";
  EXPECT_EQ(broker.play(scene), scene);
}

}  // namespace
}  // namespace cidbus::group
