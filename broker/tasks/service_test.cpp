// Golden transcripts of the leader's part: each scene is what goes in and, indented, all that comes of it.
#include <gtest/gtest.h>

#include "broker/tasks/transcript.h"

namespace cidbus {
namespace {

using testing_tasks::Transcript;

void expect_scene(std::string_view scene) {
  Transcript transcript;
  EXPECT_EQ(transcript.play(scene), scene);
}

TEST(TaskService, TakesATaskFromSubmissionToAcknowledgedResult) {
  expect_scene(R"(watch
w1 hello echo
    NODE 1 w1 echo
w1 credit 3
c1 submit s1 low=1 1:echo 2:echo,key=k
    SESSION_OPEN s1
    SUBMIT s1 1
    SUBMIT s1 2
# nothing is told or handed out before the commit
commit
    feed: t4 pending
    feed: t5 pending
    LEASE t4.1 to 1 (lazy)
    LEASE t5.1 to 1 (lazy)
    to w1: dispatch t4.1@1 echo t5.1@1 echo
    to c1: accepted s1 1=t4 2=t5
commit
    feed: t4 assigned on w1
    feed: t5 assigned on w1
w1 progress t4.1
    feed: t4 processing on w1
w1 complete t4.1 ok hello
    RESULT t4.1 completed
commit
    feed: t4 completed on w1
    to c1: results s1 #1 of 1 [t4 completed attempt 1 on w1 "hello"]
    to w1: completeAck t4.1@1
c1 ack s1 1
    RESULT_ACK s1 1 (lazy)
commit
w1 complete t5.1 retry oops
    REQUEUE t5.1 retry, costs a try, waits
commit
    feed: t5 pending on w1
    to w1: completeAck t5.1@1
wait 3000
    LEASE t5.2 to 1 (lazy)
    to w1: dispatch t5.2@1 echo
commit
    feed: t5 assigned on w1
w1 complete t5.2 failed no
    RESULT t5.2 failed
commit
    feed: t5 failed on w1
    to c1: results s1 #2 of 2 [t5 failed attempt 2 on w1 error "no"]
    to w1: completeAck t5.2@1
c1 show 7 t4 t99
    to c1: taskInfos 7: [t4 completed attempt 1 on w1 "hello"] unknown t99
)");
}

}  // namespace
}  // namespace cidbus
