// What sessions are told: golden transcripts of CONSENSUS C2 to C4.
#include <gtest/gtest.h>

#include "broker/tasks/transcript.h"

namespace cidbus {
namespace {

using testing_tasks::Transcript;

void expect_scene(std::string_view scene) {
  Transcript transcript;
  EXPECT_EQ(transcript.play(scene), scene);
}

TEST(TaskServiceSessions, C2ASessionLivesWhileItsClientIsConnectedByRecordsAQuarterOfItsLifeApart) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
c1 submit s1 low=1 1:echo
    SESSION_OPEN s1
    SUBMIT s1 1
commit
    to c1: accepted s1 1=t4
wait 899999
wait 1
    SESSION_RENEW s1 (lazy)
commit
wait 900000
    SESSION_RENEW s1 (lazy)
commit
)");
}

TEST(TaskServiceSessions, C2ASessionThatWasSilentForTooLongHasExpiredAndItsClientIsToldSo) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
c1 submit s1 low=1 1:echo
    SESSION_OPEN s1
    SUBMIT s1 1
commit
    to c1: accepted s1 1=t4
c1 gone
wait 3600001
c2 submit s2 low=1 1:echo
    SESSION_OPEN s2
    SUBMIT s2 1
commit
    to c2: accepted s2 1=t6
c1 submit s1 low=2 2:echo
    to c1: rejected s1 2 session expired: the session has expired: open another
c1 resume s1 0
    to c1: refused session expired: the session has expired: open another
c1 ack s1 1
    to c1: refused session expired: the session has expired: open another
)");
}

TEST(TaskServiceSessions, C3ARepeatedSubmissionGetsTheSameTaskAndIsMarked) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
c1 submit s1 low=1 1:echo
    SESSION_OPEN s1
    SUBMIT s1 1
# the answer is lost on the way: sent again before and after the commit
c1 submit s1 low=1 1:echo
    SUBMIT s1 1
commit
    to c1: accepted s1 1=t4 1=t4 again
c1 submit s1 low=1 1:echo
    to c1: accepted s1 1=t4 again
)");
}

TEST(TaskServiceSessions, C3AKeyGivesTheSameTaskAcrossSessionsAndEachOfThemItsResult) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w1 credit 1
c1 submit s1 low=1 1:echo,key=k
    SESSION_OPEN s1
    SUBMIT s1 1
commit
    LEASE t4.1 to 1 (lazy)
    to w1: dispatch t4.1@1 echo
    to c1: accepted s1 1=t4
c2 submit s2 low=1 1:echo,key=k
    SESSION_OPEN s2
    SUBMIT s2 1
commit
    to c2: accepted s2 1=t4 again
w1 complete t4.1 ok shared
    RESULT t4.1 completed
commit
    to c1: results s1 #1 of 1 [t4 completed attempt 1 on w1 "shared"]
    to c2: results s2 #1 of 1 [t4 completed attempt 1 on w1 "shared"]
    to w1: completeAck t4.1@1
c2 submit s2 low=2 2:echo,key=k
    SUBMIT s2 2
commit
    to c2: accepted s2 2=t4 again
    to c2: results s2 #2 of 2 [t4 completed attempt 1 on w1 "shared"]
)");
}

TEST(TaskServiceSessions, AKeyStandsForOneRequestAndAnotherUnderItIsRefused) {
  expect_scene(R"(w1 hello echo,hash
    NODE 1 w1 echo hash
c1 submit s1 low=1 1:echo,key=k,work=one
    SESSION_OPEN s1
    SUBMIT s1 1
# its submission is on its way, and not in the state yet
c2 submit s2 low=1 1:echo,key=k,work=two 2:hash,key=k,work=one 3:echo,key=k,work=one 4:echo,key=l,work=two
    SESSION_OPEN s2
    SUBMIT s2 3
    SUBMIT s2 4
    to c2: rejected s2 1 name taken: a submission on its way has this key, and asks for something else;
        give another key 2 name taken: a submission on its way has this key, and asks for something else;
        give another key
commit
    to c1: accepted s1 1=t4
    to c2: accepted s2 3=t4 again 4=t7
c2 submit s2 low=1 1:echo,key=k,work=two 2:hash,key=k,work=one 3:echo,key=k,work=one
    to c2: rejected s2 1 name taken: task t4 has this key, with other inputs or parameters; give another
        key, or submit the same as then 2 name taken: task t4 has this key, with another type; give another
        key, or submit the same as then
    to c2: accepted s2 3=t4 again
w1 credit 9
    LEASE t4.1 to 1 (lazy)
    LEASE t7.1 to 1 (lazy)
    to w1: dispatch t4.1@1 echo t7.1@1 echo
w1 complete t4.1 ok done
    RESULT t4.1 completed
commit
    to c1: results s1 #1 of 1 [t4 completed attempt 1 on w1 "done"]
    to c2: results s2 #1 of 3 [t4 completed attempt 1 on w1 "done"]
    to w1: completeAck t4.1@1
# nor is another taken once it has ended
c2 submit s2 low=1 5:echo,key=k,work=two
    to c2: rejected s2 5 name taken: task t4 has this key, with other inputs or parameters; give another
        key, or submit the same as then
)");
}

TEST(TaskServiceSessions, C3WhatIsBelowTheLowWaterWasAnsweredAndIsNotTakenAgain) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
c1 submit s1 low=1 1:echo 2:echo
    SESSION_OPEN s1
    SUBMIT s1 1
    SUBMIT s1 2
commit
    to c1: accepted s1 1=t4 2=t5
c1 submit s1 low=3 2:echo 3:echo
    SUBMIT s1 3
    to c1: accepted s1 2=t5 again
commit
    to c1: accepted s1 3=t6
)");
}

TEST(TaskServiceSessions, C3ASubmissionWhoseSessionClosesBeforeItIsRecordedIsExpired) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
c1 submit s1 low=1 1:echo
    SESSION_OPEN s1
    SUBMIT s1 1
commit
    to c1: accepted s1 1=t4
c1 close s1
    SESSION_CLOSE s1 (lazy)
c1 submit s1 low=2 2:echo
    SUBMIT s1 2
commit
    to c1: rejected s1 2 session expired: the session ended before this submission was recorded
)");
}

TEST(TaskServiceSessions, C4ResultsAreNumberedInTheOrderTheyBecameFinalAndPushedAgainFromTheCursor) {
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
w1 complete t6.1 ok third
    RESULT t6.1 completed
w1 complete t4.1 ok first
    RESULT t4.1 completed
commit
    to c1: results s1 #1 of 3 [t6 completed attempt 1 on w1 "third"] #2 of 1 [t4 completed attempt 1 on
        w1 "first"]
    to w1: completeAck t6.1@1 t4.1@1
c1 gone
w1 complete t5.1 ok second
    RESULT t5.1 completed
commit
    to w1: completeAck t5.1@1
c1 resume s1 1
    to c1: results s1 #2 of 1 [t4 completed attempt 1 on w1 "first"] #3 of 2 [t5 completed attempt 1 on
        w1 "second"]
    RESULT_ACK s1 1 (lazy)
commit
c1 ack s1 3
    RESULT_ACK s1 3 (lazy)
commit
c1 resume s1 3
# below what the broker has forgotten nothing can be pushed
c1 resume s1 2
    to c1: refused session expired: the session has expired: open another
)");
}

TEST(TaskServiceSessions, C4ANewLeaderPushesWhatWasNotAcknowledged) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w1 credit 2
c1 submit s1 low=1 1:echo 2:echo
    SESSION_OPEN s1
    SUBMIT s1 1
    SUBMIT s1 2
commit
    LEASE t4.1 to 1 (lazy)
    LEASE t5.1 to 1 (lazy)
    to w1: dispatch t4.1@1 echo t5.1@1 echo
    to c1: accepted s1 1=t4 2=t5
commit
w1 complete t4.1 ok one
    RESULT t4.1 completed
w1 complete t5.1 ok two
    RESULT t5.1 completed
commit
    to c1: results s1 #1 of 1 [t4 completed attempt 1 on w1 "one"] #2 of 2 [t5 completed attempt 1 on w1
        "two"]
    to w1: completeAck t4.1@1 t5.1@1
c1 ack s1 1
    RESULT_ACK s1 1 (lazy)
commit
office
c1 resume s1 1
    to c1: results s1 #2 of 2 [t5 completed attempt 1 on w1 "two"]
)");
}

TEST(TaskServiceSessions, C4AnAcknowledgementBeyondTheLastResultIsRefusedOrCut) {
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
w1 complete t4.1 ok one
    RESULT t4.1 completed
commit
    to c1: results s1 #1 of 1 [t4 completed attempt 1 on w1 "one"]
    to w1: completeAck t4.1@1
c1 resume s1 7
    to c1: refused bad message: the cursor is beyond the session's last result
c1 ack s1 7
    RESULT_ACK s1 1 (lazy)
commit
)");
}

TEST(TaskServiceSessions, AcknowledgementsOfOneTurnAreOneRecord) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w1 credit 3
c1 submit s1 low=1 1:echo 2:echo
    SESSION_OPEN s1
    SUBMIT s1 1
    SUBMIT s1 2
commit
    LEASE t4.1 to 1 (lazy)
    LEASE t5.1 to 1 (lazy)
    to w1: dispatch t4.1@1 echo t5.1@1 echo
    to c1: accepted s1 1=t4 2=t5
commit
w1 complete t4.1 ok one
    RESULT t4.1 completed
w1 complete t5.1 ok two
    RESULT t5.1 completed
commit
    to c1: results s1 #1 of 1 [t4 completed attempt 1 on w1 "one"] #2 of 2 [t5 completed attempt 1 on w1
        "two"]
    to w1: completeAck t4.1@1 t5.1@1
c1 ack s1 2
    RESULT_ACK s1 2 (lazy)
c1 ack s1 2
commit
)");
}

TEST(TaskServiceSessions, ASessionIsTakenOverByTheConnectionThatSpokeLast) {
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
c2 resume s1 0
w1 complete t4.1 ok done
    RESULT t4.1 completed
commit
    to c2: results s1 #1 of 1 [t4 completed attempt 1 on w1 "done"]
    to w1: completeAck t4.1@1
)");
}

TEST(TaskServiceSessions, ATaskOfAClosedSessionIsKeptForWhoAsks) {
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
c1 close s1
    SESSION_CLOSE s1 (lazy)
commit
w1 complete t4.1 ok done
    RESULT t4.1 completed
commit
    to w1: completeAck t4.1@1
c2 show 3 t4
    to c2: taskInfos 3: [t4 completed attempt 1 on w1 "done"]
)");
}

}  // namespace
}  // namespace cidbus
