// Task types declared strict: golden transcripts of CONSENSUS W1 to W5 as they bind them.
#include <gtest/gtest.h>

#include "broker/tasks/transcript.h"

namespace cidbus {
namespace {

using testing_tasks::Transcript;

void expect_scene(std::string_view scene) {
  Transcript transcript;
  EXPECT_EQ(transcript.play(scene), scene);
}

TEST(TaskServiceLeases, W1AStrictAttemptLeavesWhenItsLeaseIsCommitted) {
  expect_scene(R"(w1 hello echo!,hash
    NODE 1 w1 echo! hash
w1 credit 2
c1 submit s1 low=1 1:echo
    SESSION_OPEN s1
    SUBMIT s1 1
commit
    LEASE t4.1 to 1
    to c1: accepted s1 1=t4
w1 renew t4.1
    to w1: renewed t4.1@1
commit
    to w1: dispatch t4.1@1 echo strict
w1 complete t4.1 ok done
    RESULT t4.1 completed
commit
    to c1: results s1 #1 of 1 [t4 completed attempt 1 on w1 "done"]
    to w1: completeAck t4.1@1
)");
}

TEST(TaskServiceLeases, W1AStrictAttemptWhoseWorkerWentBeforeItLeftIsQueuedAgainAtOnce) {
  expect_scene(R"(w1 hello echo!
    NODE 1 w1 echo!
w1 credit 1
c1 submit s1 low=1 1:echo
    SESSION_OPEN s1
    SUBMIT s1 1
commit
    LEASE t4.1 to 1
    to c1: accepted s1 1=t4
w1 gone
commit
    REQUEUE t4.1 handed back
commit
w1 hello echo!
w1 credit 1
    LEASE t4.2 to 1
# cancelled while its lease is on the way: nothing leaves
c1 cancel 1 t4
    CANCEL t4
commit
    to c1: cancelAnswers 1: t4 cancelled
    to c1: results s1 #1 of 1 [t4 cancelled attempt 2 on w1 error "cancelled"]
# nor is the credit lost
c1 submit s1 low=1 2:echo
    SUBMIT s1 2
commit
    LEASE t9.1 to 1
    to c1: accepted s1 2=t9
)");
}

TEST(TaskServiceLeases, W1ATypeIsStrictFromTheHelloThatSaysSo) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
c1 submit s1 low=1 1:echo
    SESSION_OPEN s1
    SUBMIT s1 1
commit
    to c1: accepted s1 1=t4
w2 hello echo!
    NODE 2 w2 echo!
w1 credit 1
    LEASE t4.1 to 1
commit
    to w1: dispatch t4.1@1 echo strict
w2 hello echo!
)");
}

TEST(TaskServiceLeases, W3AStrictRunWaitsForItsDeadlineWhenItsWorkerIsSilentOrComesBackWithoutIt) {
  expect_scene(R"(w1 hello echo!
    NODE 1 w1 echo!
w2 hello echo!
    NODE 2 w2 echo!
w1 credit 1
c1 submit s1 low=1 1:echo
    SESSION_OPEN s1
    SUBMIT s1 1
commit
    LEASE t5.1 to 1
    to c1: accepted s1 1=t5
commit
    to w1: dispatch t5.1@1 echo strict
w2 credit 1
lost w1
w1 hello echo!
wait 29999
wait 1
    REQUEUE t5.1 lease expired
commit
    LEASE t5.2 to 2
commit
    to w2: dispatch t5.2@1 echo strict
# W5: only the current attempt's result counts
w1 complete t5.1 ok late
    to w1: completeAck t5.1@1
w2 complete t5.2 ok current
    RESULT t5.2 completed
commit
    to c1: results s1 #1 of 1 [t5 completed attempt 2 on w2 "current"]
    to w2: completeAck t5.2@1
)");
}

TEST(TaskServiceLeases, W4ANewLeaderWaitsAWholeLeaseForAStrictRunOfTheOneBefore) {
  expect_scene(R"(w1 hello echo!
    NODE 1 w1 echo!
w1 credit 1
c1 submit s1 low=1 1:echo
    SESSION_OPEN s1
    SUBMIT s1 1
commit
    LEASE t4.1 to 1
    to c1: accepted s1 1=t4
commit
    to w1: dispatch t4.1@1 echo strict
wait 20000
office
w1 hello echo! running=t4.1
w1 renew t4.1
    to w1: renewed t4.1@1
lost w1
wait 29999
wait 1
    REQUEUE t4.1 lease expired
)");
}

TEST(TaskServiceLeases, W5AStrictResultThatCrossesTheEndOfItsLeaseDoesNotCount) {
  expect_scene(R"(w1 hello echo!
    NODE 1 w1 echo!
w1 credit 1
c1 submit s1 low=1 1:echo
    SESSION_OPEN s1
    SUBMIT s1 1
commit
    LEASE t4.1 to 1
    to c1: accepted s1 1=t4
commit
    to w1: dispatch t4.1@1 echo strict
wait 30000
    REQUEUE t4.1 lease expired
w1 complete t4.1 ok late
    RESULT t4.1 completed
w1 credit 1
commit
    LEASE t4.2 to 1
    to w1: completeAck t4.1@1
commit
    to w1: dispatch t4.2@1 echo strict
)");
}

}  // namespace
}  // namespace cidbus
