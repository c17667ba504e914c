// Leases from dispatch to result: golden transcripts of CONSENSUS W1 to W5.
#include <gtest/gtest.h>

#include "broker/tasks/transcript.h"
#include "shared/base/limits/tasks.h"

namespace cidbus {
namespace {

using testing_tasks::Transcript;

void expect_scene(std::string_view scene) {
  Transcript transcript;
  EXPECT_EQ(transcript.play(scene), scene);
}

TEST(TaskServiceLeases, W1DispatchFollowsTheCommitOfItsSubmissionAndLeasesAreLazy) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w1 credit 1
c1 submit s1 low=1 1:echo,limit=500 2:echo
    SESSION_OPEN s1
    SUBMIT s1 1
    SUBMIT s1 2
commit 3
    LEASE t4.1 to 1 (lazy)
    to w1: dispatch t4.1@1 echo in 500 ms
    to c1: accepted s1 1=t4
commit 1
    to c1: accepted s1 2=t5
# the one credit is used: the second task waits for the next
commit
w1 credit 1
    LEASE t5.1 to 1 (lazy)
    to w1: dispatch t5.1@1 echo
)");
}

TEST(TaskServiceLeases,
     W1ANewLeaderWaitsASecondBeforeItHandsOutAgainWhatWasQueuedBeforeItsOfficeAndNewTasksAreNotHeldUp) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w2 hello echo
    NODE 2 w2 echo
c1 submit s1 low=1 1:echo 2:echo
    SESSION_OPEN s1
    SUBMIT s1 1
    SUBMIT s1 2
commit
    to c1: accepted s1 1=t5 2=t6
office
w1 hello echo
c1 submit s1 low=1 3:echo
    SUBMIT s1 3
w1 credit 9
commit
    LEASE t8.1 to 1 (lazy)
    to w1: dispatch t8.1@2 echo
    to c1: accepted s1 3=t8
wait 999
wait 1
    LEASE t5.1 to 1 (lazy)
    LEASE t6.1 to 1 (lazy)
    to w1: dispatch t5.1@2 echo t6.1@2 echo
)");
}

TEST(TaskServiceLeases, W1TheWaitOfANewLeaderEndsWhenEveryKnownWorkerHasSaidHello) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w2 hello echo
    NODE 2 w2 echo
c1 submit s1 low=1 1:echo
    SESSION_OPEN s1
    SUBMIT s1 1
commit
    to c1: accepted s1 1=t5
office
w1 hello echo
w1 credit 1
w2 hello echo
    LEASE t5.1 to 1 (lazy)
    to w1: dispatch t5.1@2 echo
)");
}

TEST(TaskServiceLeases, W3ARenewedLeaseRunsOnAndOneThatIsNotIsGivenToAnother) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w2 hello echo
    NODE 2 w2 echo
w1 credit 1
c1 submit s1 low=1 1:echo
    SESSION_OPEN s1
    SUBMIT s1 1
commit
    LEASE t5.1 to 1 (lazy)
    to w1: dispatch t5.1@1 echo
    to c1: accepted s1 1=t5
commit
wait 10000
w1 renew t5.1
    to w1: renewed t5.1@1
w2 credit 1
wait 29999
wait 1
    REQUEUE t5.1 lease expired
# the requeue is committed before anybody else gets the task
commit
    LEASE t5.2 to 2 (lazy)
    to w2: dispatch t5.2@1 echo
w1 renew t5.1
    to w1: renewed lost t5.1@1
)");
}

TEST(TaskServiceLeases, W3AWorkerThatIsSilentOrGoneLosesItsRunsByACommittedRequeueThatCostsNoTry) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w2 hello echo
    NODE 2 w2 echo
w1 credit 2
c1 submit s1 low=1 1:echo,tries=1 2:echo,tries=1 3:echo
    SESSION_OPEN s1
    SUBMIT s1 1
    SUBMIT s1 2
    SUBMIT s1 3
commit
    LEASE t5.1 to 1 (lazy)
    LEASE t6.1 to 1 (lazy)
    to w1: dispatch t5.1@1 echo t6.1@1 echo
    to c1: accepted s1 1=t5 2=t6 3=t7
commit
# a broken connection alone changes nothing: it may come back
w1 gone
wait 500
lost w1
    REQUEUE t5.1 worker lost
    REQUEUE t6.1 worker lost
commit
# what was handed out once goes before what never was
w2 credit 3
    LEASE t5.2 to 2 (lazy)
    LEASE t6.2 to 2 (lazy)
    LEASE t7.1 to 2 (lazy)
    to w2: dispatch t5.2@1 echo t6.2@1 echo t7.1@1 echo
)");
}

TEST(TaskServiceLeases, W4ANewLeaderGivesEveryLeaseItsFullTimeAgain) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w1 credit 1
c1 submit s1 low=1 1:echo
    SESSION_OPEN s1
    SUBMIT s1 1
commit
    LEASE t4.1 to 1 (lazy)
    to w1: dispatch t4.1@1 echo
    to c1: accepted s1 1=t4
commit
wait 29000
office
wait 29999
wait 1
    REQUEUE t4.1 lease expired
)");
}

TEST(TaskServiceLeases, W4HelloConfirmsTheLeasesItListsAndTheOthersAreRequeuedAtOnce) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w1 credit 3
c1 submit s1 low=1 1:echo 2:echo 3:echo
    SESSION_OPEN s1
    SUBMIT s1 1
    SUBMIT s1 2
    SUBMIT s1 3
commit
    LEASE t4.1 to 1 (lazy)
    LEASE t5.1 to 1 (lazy)
    LEASE t6.1 to 1 (lazy)
    to w1: dispatch t4.1@1 echo t5.1@1 echo t6.1@1 echo
    to c1: accepted s1 1=t4 2=t5 3=t6
commit
office
w1 hello echo running=t4.1,t6.1
    REQUEUE t5.1 not running
commit
w1 complete t4.1 ok kept
    RESULT t4.1 completed
commit
    to w1: completeAck t4.1@1
w1 renew t6.1 t5.1
    to w1: renewed t6.1@1 lost t5.1@1
)");
}

TEST(TaskServiceLeases, W4ALeaseTheLastLeaderHadNotCommittedIsTakenBackFromTheWorkersHello) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w2 hello echo
    NODE 2 w2 echo
c1 submit s1 low=1 1:echo 2:echo
    SESSION_OPEN s1
    SUBMIT s1 1
    SUBMIT s1 2
commit
    to c1: accepted s1 1=t5 2=t6
w1 credit 1
    LEASE t5.1 to 1 (lazy)
    to w1: dispatch t5.1@1 echo
office
w1 hello echo running=t5.1
    LEASE t5.1 to 1 (lazy)
w2 hello echo
w2 credit 5
    LEASE t6.1 to 2 (lazy)
    to w2: dispatch t6.1@2 echo
commit
w1 complete t5.1 ok done
    RESULT t5.1 completed
commit
    to w1: completeAck t5.1@1
c1 resume s1 0
    to c1: results s1 #1 of 1 [t5 completed attempt 1 on w1 "done"]
)");
}

TEST(TaskServiceLeases, W4AHelloOfATaskThatIsFinalIsAnsweredByRevokingIt) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w1 credit 1
c1 submit s1 low=1 1:echo
    SESSION_OPEN s1
    SUBMIT s1 1
commit
    LEASE t4.1 to 1 (lazy)
    to w1: dispatch t4.1@1 echo
    to c1: accepted s1 1=t4
commit
c1 cancel 1 t4
    CANCEL t4
commit
    to c1: cancelAnswers 1: t4 cancelled
    to c1: results s1 #1 of 1 [t4 cancelled attempt 1 on w1 error "cancelled"]
    to w1: revoke t4.1@1
w1 gone
w1 hello echo running=t4.1
    to w1: revoke t4.1@1
w1 complete t4.1 cancelled
    to w1: completeAck t4.1@1
)");
}

TEST(TaskServiceLeases, W5TheFirstResultWinsAndALateOneIsAcknowledgedAndCounted) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w2 hello echo
    NODE 2 w2 echo
w1 credit 1
w2 credit 1
c1 submit s1 low=1 1:echo
    SESSION_OPEN s1
    SUBMIT s1 1
commit
    LEASE t5.1 to 1 (lazy)
    to w1: dispatch t5.1@1 echo
    to c1: accepted s1 1=t5
commit
lost w1
    REQUEUE t5.1 worker lost
commit
    LEASE t5.2 to 2 (lazy)
    to w2: dispatch t5.2@1 echo
w1 hello echo
# the first attempt was given up, yet its result comes first
w1 complete t5.1 ok first
    RESULT t5.1 completed
commit
    to c1: results s1 #1 of 1 [t5 completed attempt 2 on w1 "first"]
    to w1: completeAck t5.1@1
    to w2: revoke t5.2@1
w2 complete t5.2 ok second
    to w2: completeAck t5.2@1
c1 show 1 t5
    to c1: taskInfos 1: [t5 completed attempt 2 on w1 "first"]
)");
}

TEST(TaskServiceLeases, W5AResultToldTwiceWhileItsRecordIsOnTheWayIsRecordedOnce) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w1 credit 1
c1 submit s1 low=1 1:echo
    SESSION_OPEN s1
    SUBMIT s1 1
commit
    LEASE t4.1 to 1 (lazy)
    to w1: dispatch t4.1@1 echo
    to c1: accepted s1 1=t4
commit
w1 complete t4.1 ok once
    RESULT t4.1 completed
w1 gone
w1 hello echo running=t4.1
w1 complete t4.1 ok once
commit
    to c1: results s1 #1 of 1 [t4 completed attempt 1 on w1 "once"]
    to w1: completeAck t4.1@1
w1 complete t4.1 ok once
    to w1: completeAck t4.1@1
)");
}

TEST(TaskServiceLeases, W5AnEndToldOverAndOverWhileTheDiskIsFullIsOnItsWayOnce) {
  Transcript transcript;
  transcript.play("w1 hello echo\nw2 hello echo\nw1 credit 1\nc1 submit s1 low=1 1:echo\ncommit\ncommit\n");
  EXPECT_EQ(transcript.event("w1 complete t5.1 ok once"), "    RESULT t5.1 completed\n");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(transcript.event("w1 complete t5.1 ok once"), "");
  EXPECT_EQ(transcript.event("commit"),
            "    to c1: results s1 #1 of 1 [t5 completed attempt 1 on w1 \"once\"]\n"
            "    to w1: completeAck t5.1@1\n");
  // Likewise what has no lease any more.
  transcript.play("w1 credit 1\nc1 submit s1 low=1 2:echo\ncommit\ncommit\nlost w1\ncommit\nw1 hello echo\n");
  EXPECT_EQ(transcript.event("w1 complete t8.1 ok late"), "    RESULT t8.1 completed\n");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(transcript.event("w1 complete t8.1 ok late"), "");
  EXPECT_EQ(transcript.event("commit"),
            "    to c1: results s1 #2 of 2 [t8 completed attempt 1 on w1 \"late\"]\n"
            "    to w1: completeAck t8.1@1\n");
}

TEST(TaskServiceLeases, W5AResultIsAcceptedEvenWhenTheRunWaitsInTheQueueAgain) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w1 credit 1
c1 submit s1 low=1 1:echo
    SESSION_OPEN s1
    SUBMIT s1 1
commit
    LEASE t4.1 to 1 (lazy)
    to w1: dispatch t4.1@1 echo
    to c1: accepted s1 1=t4
commit
lost w1
    REQUEUE t4.1 worker lost
commit
w1 hello echo
w1 complete t4.1 ok late
    RESULT t4.1 completed
commit
    to c1: results s1 #1 of 1 [t4 completed attempt 1 on w1 "late"]
    to w1: completeAck t4.1@1
w1 credit 1
)");
}

TEST(TaskServiceLeases, W3AnAttemptThatEndsWithItsWorkerTooOftenFailsTheTask) {
  Transcript transcript;
  transcript.play("w1 hello echo\nc1 submit s1 low=1 1:echo,tries=1\ncommit\n");
  for (unsigned attempt = 1; attempt < limits::lost_attempts; ++attempt) {
    transcript.play("w1 credit 1\ncommit\n");
    EXPECT_EQ(transcript.event("lost w1"), "    REQUEUE t4." + std::to_string(attempt) + " worker lost\n");
    transcript.play("commit\nw1 hello echo\n");
  }
  transcript.play("w1 credit 1\ncommit\n");
  EXPECT_EQ(transcript.event("lost w1"), "    RESULT t4.20 failed\n");
  EXPECT_EQ(
      transcript.event("commit"),
      "    to c1: results s1 #1 of 1 [t4 failed attempt 20 on w1 error \"lost with its worker 20 times\"]\n");
}

}  // namespace
}  // namespace cidbus
