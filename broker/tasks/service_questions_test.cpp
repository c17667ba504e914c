// Refusals, deadlines, cancellations and questions: golden transcripts.
#include <gtest/gtest.h>

#include "broker/tasks/transcript.h"

namespace cidbus {
namespace {

using testing_tasks::Transcript;

void expect_scene(std::string_view scene) {
  Transcript transcript;
  EXPECT_EQ(transcript.play(scene), scene);
}

TEST(TaskServiceQuestions, ATypeNobodyEverOfferedIsRefusedOnceAWorkerIsThere) {
  expect_scene(R"(c1 submit s1 low=1 1:hash
    SESSION_OPEN s1
    SUBMIT s1 1
commit
    to c1: accepted s1 1=t3
w1 hello echo,resize
    NODE 1 w1 echo resize
c1 submit s1 low=2 2:hahs
    to c1: rejected s1 2 not known: no worker has ever offered the task type "hahs"; known are echo,
        resize
c1 submit s1 low=2 3:hash
    to c1: rejected s1 3 not known: no worker has ever offered the task type "hash"; known are echo,
        resize
w2 hello hash
    NODE 2 w2 hash
c1 submit s1 low=2 3:hash
    SUBMIT s1 3
commit
    to c1: accepted s1 3=t6
lost w2
# offered once: it may come back, so the task waits
c1 submit s1 low=2 4:hash
    SUBMIT s1 4
)");
}

TEST(TaskServiceQuestions, AFullDiskRefusesSubmissionsOnlyAndLosesNothing) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w1 credit 1
c1 submit s1 low=1 1:echo 2:echo
    SESSION_OPEN s1
    SUBMIT s1 1
    SUBMIT s1 2
commit
    LEASE t4.1 to 1 (lazy)
    to w1: dispatch t4.1@1 echo
    to c1: accepted s1 1=t4 2=t5
commit
full the disk of b1 is nearly full: free some room
c1 submit s1 low=1 2:echo 3:echo
    to c1: rejected s1 3 exhausted: the disk of b1 is nearly full: free some room (retry after 1000 ms)
    to c1: accepted s1 2=t5 again
w1 complete t4.1 ok done
    RESULT t4.1 completed
c1 cancel 7 t5
    CANCEL t5
commit
    to c1: cancelAnswers 7: t5 cancelled
    to c1: results s1 #1 of 1 [t4 completed attempt 1 on w1 "done"] #2 of 2 [t5 cancelled error
        "cancelled"]
    to w1: completeAck t4.1@1
c1 ack s1 2
    RESULT_ACK s1 2 (lazy)
room
c1 submit s1 low=1 3:echo
    SUBMIT s1 3
commit
    to c1: accepted s1 3=ta
)");
}

TEST(TaskServiceQuestions, ADelayedTaskWaitsForItsTime) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w1 credit 2
c1 submit s1 low=1 1:echo,delay=5000 2:echo
    SESSION_OPEN s1
    SUBMIT s1 1
    SUBMIT s1 2
commit
    LEASE t5.1 to 1 (lazy)
    to w1: dispatch t5.1@1 echo
    to c1: accepted s1 1=t4 2=t5
wait 4999
wait 1
    LEASE t4.1 to 1 (lazy)
    to w1: dispatch t4.1@1 echo
)");
}

TEST(TaskServiceQuestions, ADeadlineEndsATaskWhereverItIs) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w1 credit 1
c1 submit s1 low=1 1:echo,deadline=1000 2:echo,deadline=1000 3:echo,deadline=1000,delay=9000
    SESSION_OPEN s1
    SUBMIT s1 1
    SUBMIT s1 2
    SUBMIT s1 3
commit
    LEASE t4.1 to 1 (lazy)
    to w1: dispatch t4.1@1 echo
    to c1: accepted s1 1=t4 2=t5 3=t6
commit
wait 999
wait 1
    EXPIRE t4
    EXPIRE t5
    EXPIRE t6
commit
    to c1: results s1 #1 of 1 [t4 timeout attempt 1 on w1 error "its deadline passed before it was
        done"] #2 of 2 [t5 timeout error "its deadline passed before it was done"] #3 of 3 [t6 timeout error
        "its deadline passed before it was done"]
    to w1: revoke t4.1@1
w1 complete t4.1 ok too late
    to w1: completeAck t4.1@1
)");
}

TEST(TaskServiceQuestions, CancelEndsAPendingTaskAndCallsALeasedOneBack) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w1 credit 1
c1 submit s1 low=1 1:echo 2:echo
    SESSION_OPEN s1
    SUBMIT s1 1
    SUBMIT s1 2
commit
    LEASE t4.1 to 1 (lazy)
    to w1: dispatch t4.1@1 echo
    to c1: accepted s1 1=t4 2=t5
commit
c2 cancel 5 t4 t5 t99
    CANCEL t4
    CANCEL t5
commit
    to c2: cancelAnswers 5: t4 cancelled t5 cancelled t99 unknown
    to c1: results s1 #1 of 1 [t4 cancelled attempt 1 on w1 error "cancelled"] #2 of 2 [t5 cancelled
        error "cancelled"]
    to w1: revoke t4.1@1
w1 complete t4.1 cancelled
    to w1: completeAck t4.1@1
c2 cancel 6 t4
    to c2: cancelAnswers 6: t4 already final
w1 credit 1
)");
}

TEST(TaskServiceQuestions, ACancellationThatComesAfterTheResultSaysSo) {
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
w1 complete t4.1 ok done
    RESULT t4.1 completed
c2 cancel 5 t4
    CANCEL t4
commit
    to c2: cancelAnswers 5: t4 already final
    to c1: results s1 #1 of 1 [t4 completed attempt 1 on w1 "done"]
    to w1: completeAck t4.1@1
)");
}

TEST(TaskServiceQuestions, WaitIsAnsweredAsEachTaskBecomesFinal) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w1 credit 2
c1 submit s1 low=1 1:echo 2:echo 3:echo
    SESSION_OPEN s1
    SUBMIT s1 1
    SUBMIT s1 2
    SUBMIT s1 3
commit
    LEASE t4.1 to 1 (lazy)
    LEASE t5.1 to 1 (lazy)
    to w1: dispatch t4.1@1 echo t5.1@1 echo
    to c1: accepted s1 1=t4 2=t5 3=t6
commit
w1 complete t4.1 ok one
    RESULT t4.1 completed
commit
    to c1: results s1 #1 of 1 [t4 completed attempt 1 on w1 "one"]
    to w1: completeAck t4.1@1
c2 wait 9 t4 t5 t6 t77
    to c2: taskInfos 9: [t4 completed attempt 1 on w1 "one"] unknown t77
w1 complete t5.1 failed bad input
    RESULT t5.1 failed
commit
    to c1: results s1 #2 of 2 [t5 failed attempt 1 on w1 error "bad input"]
    to w1: completeAck t5.1@1
    to c2: taskInfos 9: [t5 failed attempt 1 on w1 error "bad input"]
c2 gone
c1 cancel 3 t6
    CANCEL t6
commit
    to c1: cancelAnswers 3: t6 cancelled
    to c1: results s1 #3 of 3 [t6 cancelled error "cancelled"]
)");
}

TEST(TaskServiceQuestions, ListsGoFromTheNewestByStateAndTypeAPageAtATime) {
  expect_scene(R"(w1 hello echo,hash
    NODE 1 w1 echo hash
w1 credit 2
c1 submit s1 low=1 1:echo 2:hash 3:echo 4:hash 5:echo
    SESSION_OPEN s1
    SUBMIT s1 1
    SUBMIT s1 2
    SUBMIT s1 3
    SUBMIT s1 4
    SUBMIT s1 5
commit
    LEASE t4.1 to 1 (lazy)
    LEASE t5.1 to 1 (lazy)
    to w1: dispatch t4.1@1 echo t5.1@1 hash
    to c1: accepted s1 1=t4 2=t5 3=t6 4=t7 5=t8
commit
w1 progress t5.1
c2 list 1
    to c2: taskInfos 1: [t8 pending] [t7 pending] [t6 pending] [t5 processing attempt 1 on w1] [t4
        assigned attempt 1 on w1]
c2 list 2 limit=2
    to c2: taskInfos 2: [t8 pending] [t7 pending] and more
c2 list 3 limit=2 before=t8
    to c2: taskInfos 3: [t7 pending] [t6 pending] and more
c2 list 4 limit=2 before=t6
    to c2: taskInfos 4: [t5 processing attempt 1 on w1] [t4 assigned attempt 1 on w1]
c2 list 5 state=pending
    to c2: taskInfos 5: [t8 pending] [t7 pending] [t6 pending]
c2 list 6 type=hash
    to c2: taskInfos 6: [t7 pending] [t5 processing attempt 1 on w1]
c2 list 7 state=processing
    to c2: taskInfos 7: [t5 processing attempt 1 on w1]
c2 list 8 state=assigned type=echo
    to c2: taskInfos 8: [t4 assigned attempt 1 on w1]
c2 list 9 type=nothing
    to c2: taskInfos 9:
)");
}

}  // namespace
}  // namespace cidbus
