// Who gets which task, and what another try costs: golden transcripts.
#include <gtest/gtest.h>

#include "broker/tasks/transcript.h"

namespace cidbus {
namespace {

using testing_tasks::Transcript;

void expect_scene(std::string_view scene) {
  Transcript transcript;
  EXPECT_EQ(transcript.play(scene), scene);
}

TEST(TaskServiceDispatch, RetriesBackOffDoublingUntilNoTryIsLeft) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w1 credit 9
c1 submit s1 low=1 1:echo,tries=3,backoff=1000
    SESSION_OPEN s1
    SUBMIT s1 1
commit
    LEASE t4.1 to 1 (lazy)
    to w1: dispatch t4.1@1 echo
    to c1: accepted s1 1=t4
commit
w1 complete t4.1 retry first
    REQUEUE t4.1 retry, costs a try, waits
commit
    to w1: completeAck t4.1@1
wait 499
wait 501
    LEASE t4.2 to 1 (lazy)
    to w1: dispatch t4.2@1 echo
commit
w1 complete t4.2 timeout second
    REQUEUE t4.2 timed out, costs a try, waits
commit
    to w1: completeAck t4.2@1
wait 999
wait 1001
    LEASE t4.3 to 1 (lazy)
    to w1: dispatch t4.3@1 echo
commit
w1 complete t4.3 retry third
    RESULT t4.3 retry
commit
    to c1: results s1 #1 of 1 [t4 failed attempt 3 on w1 error "third"]
    to w1: completeAck t4.3@1
)");
}

TEST(TaskServiceDispatch, ATaskHandedBackCostsNoTry) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w2 hello echo
    NODE 2 w2 echo
w1 credit 1
c1 submit s1 low=1 1:echo,tries=1
    SESSION_OPEN s1
    SUBMIT s1 1
commit
    LEASE t5.1 to 1 (lazy)
    to w1: dispatch t5.1@1 echo
    to c1: accepted s1 1=t5
commit
w1 credit 3
w1 complete t5.1 back
    REQUEUE t5.1 handed back
commit
    to w1: completeAck t5.1@1
w2 credit 1
    LEASE t5.2 to 2 (lazy)
    to w2: dispatch t5.2@1 echo
commit
w2 complete t5.2 ok there
    RESULT t5.2 completed
commit
    to c1: results s1 #1 of 1 [t5 completed attempt 2 on w2 "there"]
    to w2: completeAck t5.2@1
)");
}

TEST(TaskServiceDispatch, ARetryOfAnAttemptThatIsNoLongerCurrentDoesNotDisturbTheOneThatIs) {
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
w1 complete t5.1 retry stale
    to w1: completeAck t5.1@1
commit
w2 complete t5.2 ok current
    RESULT t5.2 completed
commit
    to c1: results s1 #1 of 1 [t5 completed attempt 2 on w2 "current"]
    to w2: completeAck t5.2@1
)");
}

TEST(TaskServiceDispatch, HigherPrioritiesGoFirstThenTypesTakeTurnsThenTheOldest) {
  expect_scene(R"(w1 hello echo,hash
    NODE 1 w1 echo hash
c1 submit s1 low=1 1:echo,prio=1 2:echo 3:echo 4:hash 5:hash 6:echo,prio=9
    SESSION_OPEN s1
    SUBMIT s1 1
    SUBMIT s1 2
    SUBMIT s1 3
    SUBMIT s1 4
    SUBMIT s1 5
    SUBMIT s1 6
commit
    to c1: accepted s1 1=t4 2=t5 3=t6 4=t7 5=t8 6=t9
w1 credit 9
    LEASE t9.1 to 1 (lazy)
    LEASE t5.1 to 1 (lazy)
    LEASE t7.1 to 1 (lazy)
    LEASE t6.1 to 1 (lazy)
    LEASE t8.1 to 1 (lazy)
    LEASE t4.1 to 1 (lazy)
    to w1: dispatch t9.1@1 echo t5.1@1 echo t7.1@1 hash t6.1@1 echo t8.1@1 hash t4.1@1 echo
)");
}

TEST(TaskServiceDispatch, AWorkerGetsOnlyTheTypesItOffers) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w2 hello hash
    NODE 2 w2 hash
c1 submit s1 low=1 1:echo 2:hash
    SESSION_OPEN s1
    SUBMIT s1 1
    SUBMIT s1 2
commit
    to c1: accepted s1 1=t5 2=t6
w2 credit 5
    LEASE t6.1 to 2 (lazy)
    to w2: dispatch t6.1@1 hash
w1 credit 5
    LEASE t5.1 to 1 (lazy)
    to w1: dispatch t5.1@1 echo
)");
}

TEST(TaskServiceDispatch, TasksAreSpreadOverTheWorkersThatHaveCredit) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w2 hello echo
    NODE 2 w2 echo
w1 credit 10
w2 credit 10
c1 submit s1 low=1 1:echo 2:echo 3:echo 4:echo 5:echo 6:echo
    SESSION_OPEN s1
    SUBMIT s1 1
    SUBMIT s1 2
    SUBMIT s1 3
    SUBMIT s1 4
    SUBMIT s1 5
    SUBMIT s1 6
commit
    LEASE t5.1 to 1 (lazy)
    LEASE t6.1 to 1 (lazy)
    LEASE t7.1 to 1 (lazy)
    LEASE t8.1 to 2 (lazy)
    LEASE t9.1 to 2 (lazy)
    LEASE ta.1 to 2 (lazy)
    to w1: dispatch t5.1@1 echo t6.1@1 echo t7.1@1 echo
    to w2: dispatch t8.1@1 echo t9.1@1 echo ta.1@1 echo
    to c1: accepted s1 1=t5 2=t6 3=t7 4=t8 5=t9 6=ta
)");
}

TEST(TaskServiceDispatch, CreditOfAConnectionEndsWithIt) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
w1 credit 5
w1 gone
w1 hello echo
    NODE 1 w1 echo
c1 submit s1 low=1 1:echo
    SESSION_OPEN s1
    SUBMIT s1 1
commit
    to c1: accepted s1 1=t5
w1 credit 1
    LEASE t5.1 to 1 (lazy)
    to w1: dispatch t5.1@1 echo
)");
}

TEST(TaskServiceDispatch, AMessageOfAWorkerThatDidNotSayHelloIsRefused) {
  expect_scene(R"(w1 credit 3
    to w1: refused not known: say hello as a worker first
w1 complete t9.1 ok x
    to w1: refused not known: say hello as a worker first
w1 renew t9.1
    to w1: refused not known: say hello as a worker first
)");
}

}  // namespace
}  // namespace cidbus
