// Who stands, scene by scene: the probe, its answers, and when a vacancy is over (CONSENSUS E2 to E5). That
// the best one is elected in whole groups is tests/sim/group's.
#include <gtest/gtest.h>

#include "broker/consensus/transcript.h"

namespace cidbus::group {
namespace {

// E5: a majority of AYEs is enough when T_ok has passed.
TEST(GroupScenes, ProbeWaitsForTheLastAnswerNoLongerThanTOk) {
  Transcript broker("b1", {4}, {"4/1-5"});
  const std::string scene = R"(wait 300
  to b2 e4: ELECTION 4/5 prio 3
  to b3 e4: ELECTION 4/5 prio 3
b2 AYE 1 4/5 2
wait 25
  write vote e5 for b1
  to b2 e5: VOTE_REQ 4/5
  to b3 e5: VOTE_REQ 4/5
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// E5: T_ok is for the last answers. An answer of a majority may take as long as the others hold back.
TEST(GroupScenes, ProbeWaitsForAMajorityAsLongAsOthersHoldBack) {
  Transcript broker("b1", {4}, {"4/1-5"});
  const std::string scene = R"(wait 300
  to b2 e4: ELECTION 4/5 prio 3
  to b3 e4: ELECTION 4/5 prio 3
wait 140
b2 AYE 1 4/5 2
  write vote e5 for b1
  to b2 e5: VOTE_REQ 4/5
  to b3 e5: VOTE_REQ 4/5
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// And then it lets a worse one stand: nobody followed it.
TEST(GroupScenes, ProbeThatNobodyAnswersMakesModest) {
  Transcript broker("b1", {4}, {"4/1-5"});
  const std::string scene = R"(wait 300
  to b2 e4: ELECTION 4/5 prio 3
  to b3 e4: ELECTION 4/5 prio 3
wait 150
b2 ELECTION 1 4/5 2
  to b2 e4: AYE
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// E4: the vacancy ends with an office, the own one too: in the next one it does not insist from the start.
TEST(GroupScenes, OwnOfficeEndsTheVacancyToo) {
  Transcript broker("b2", {4}, {"4/1-5"});
  const std::string scene = R"(wait 300
  to b1 e4: ELECTION 4/5 prio 2
  to b3 e4: ELECTION 4/5 prio 2
b1 OK 1 4/5 3
wait 150
  to b1 e4: ELECTION 4/5 prio 2 insists
  to b3 e4: ELECTION 4/5 prio 2 insists
b1 AYE 2 4/5 3
b3 AYE 2 4/5 1
  write vote e5 for b2
  to b1 e5: VOTE_REQ 4/5
  to b3 e5: VOTE_REQ 4/5
b3 VOTE e5 granted
disk vote
  leader b2
  take office e5
b3 BEAT_ACK e9 5
  leave office e5: a higher epoch began
  leader nobody
wait 300
  to b1 e9: ELECTION 4/5 prio 2
  to b3 e9: ELECTION 4/5 prio 2
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// A voter waits for the office of the one it voted for from when its vote left: its own disk may be slow.
TEST(GroupScenes, VoterIsPatientFromWhenItsVoteLeaves) {
  Transcript broker("b3", {4}, {"4/1-5"});
  const std::string scene = R"(wait 290
b1 VOTE_REQ e5 4/5
  write vote e5 for b1
wait 190
disk vote
  to b1 e5: VOTE granted
wait 199
wait 1
  to b1 e5: ELECTION 4/5 prio 1
  to b2 e5: ELECTION 4/5 prio 1
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// E4: the second OK of the same broker no longer counts, and this one insists.
TEST(GroupScenes, OkHoldsABrokerBackOnceAVacancy) {
  Transcript broker("b2", {4}, {"4/1-5"});
  const std::string scene = R"(wait 300
  to b1 e4: ELECTION 4/5 prio 2
  to b3 e4: ELECTION 4/5 prio 2
b1 OK 1 4/5 3
wait 150
  to b1 e4: ELECTION 4/5 prio 2 insists
  to b3 e4: ELECTION 4/5 prio 2 insists
b1 OK 2 4/5 3
b3 AYE 2 4/5 1
  write vote e5 for b2
  to b1 e5: VOTE_REQ 4/5
  to b3 e5: VOTE_REQ 4/5
)";
  EXPECT_EQ(broker.play(scene), scene);
}

// E3: OK to a worse one; AYE to a better one, and then, holding, to an equal log; a worse log is stale.
TEST(GroupScenes, WorseBrokerIsTakenOverAndAskedInTurn) {
  Transcript broker("b2", {4}, {"4/1-5"});
  const std::string scene = R"(wait 300
  to b1 e4: ELECTION 4/5 prio 2
  to b3 e4: ELECTION 4/5 prio 2
b3 ELECTION 1 4/5 1
  to b3 e4: OK
b1 ELECTION 1 4/5 3
  to b1 e4: AYE
b3 ELECTION 2 4/5 1
  to b3 e4: AYE
b3 ELECTION 3 4/4 1
  to b3 e4: NAY stale
b3 ELECTION 4 4/5 1 insist
  to b3 e4: AYE
)";
  EXPECT_EQ(broker.play(scene), scene);
}

}  // namespace
}  // namespace cidbus::group
