// Every bound of the leader: what is told to whom, and that nothing is lost.
#include <gtest/gtest.h>

#include "broker/tasks/transcript.h"
#include "shared/base/limits/tasks.h"

namespace cidbus {
namespace {

using testing_tasks::Transcript;

// Bounds small enough to be reached by hand.
void expect_scene(std::string_view scene) {
  ServiceLimits small{.acks_within = {}};
  small.tasks = 3;
  small.sessions = 2;
  small.submissions = 3;
  small.results_pushed = 2;
  small.waiters = 2;
  small.cancels = 2;
  StateLimits state_limits;
  state_limits.session_window = 4;
  Transcript transcript(small, state_limits);
  EXPECT_EQ(transcript.play(scene), scene);
}

TEST(TaskServiceBounds, AtTheBoundOfTasksSubmissionsAreRefusedAndNothingIsLost) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
c1 submit s1 low=1 1:echo 2:echo
    SESSION_OPEN s1
    SUBMIT s1 1
    SUBMIT s1 2
commit
    to c1: accepted s1 1=t4 2=t5
c1 submit s1 low=3 3:echo 4:echo
    SUBMIT s1 3
    to c1: rejected s1 4 exhausted: the broker holds as many tasks as it can (retry after 1000 ms)
commit
    to c1: accepted s1 3=t6
c2 cancel 1 t4
    CANCEL t4
commit
    to c2: cancelAnswers 1: t4 cancelled
    to c1: results s1 #1 of 1 [t4 cancelled error "cancelled"]
c1 submit s1 low=5 5:echo
    to c1: rejected s1 5 exhausted: the broker holds as many tasks as it can (retry after 1000 ms)
)");
}

TEST(TaskServiceBounds, AtTheBoundOfWhatIsOnTheWayTheJournalIsBehind) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
c1 submit s1 low=1 1:echo 2:echo 3:echo 4:echo
    SESSION_OPEN s1
    SUBMIT s1 1
    SUBMIT s1 2
    SUBMIT s1 3
    to c1: rejected s1 4 exhausted: the broker's journal is behind (retry after 50 ms)
commit
    to c1: accepted s1 1=t4 2=t5 3=t6
)");
}

TEST(TaskServiceBounds, ASessionMayBeOnlySoFarAheadOfItsLowWater) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
c1 submit s1 low=1 4:echo 5:echo
    SESSION_OPEN s1
    SUBMIT s1 4
    to c1: rejected s1 5 exhausted: too many submissions of the session are unanswered (retry after 50
        ms)
commit
    to c1: accepted s1 4=t4
c1 submit s1 low=2 5:echo
    SUBMIT s1 5
)");
}

TEST(TaskServiceBounds, AtTheBoundOfSessionsANewOneIsRefused) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
c1 submit s1 low=1 1:echo
    SESSION_OPEN s1
    SUBMIT s1 1
c2 submit s2 low=1 1:echo
    SESSION_OPEN s2
    SUBMIT s2 1
commit
    to c1: accepted s1 1=t4
    to c2: accepted s2 1=t6
c3 submit s3 low=1 1:echo
    to c3: rejected s3 1 exhausted: the broker has as many sessions as it can (retry after 1000 ms)
c1 close s1
    SESSION_CLOSE s1 (lazy)
commit
c3 submit s3 low=1 1:echo
    SESSION_OPEN s3
    SUBMIT s3 1
)");
}

TEST(TaskServiceBounds, ResultsArePushedWithinAWindow) {
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
w1 complete t4.1 ok one
    RESULT t4.1 completed
w1 complete t5.1 ok two
    RESULT t5.1 completed
w1 complete t6.1 ok three
    RESULT t6.1 completed
commit
    to c1: results s1 #1 of 1 [t4 completed attempt 1 on w1 "one"] #2 of 2 [t5 completed attempt 1 on w1
        "two"]
    to w1: completeAck t4.1@1 t5.1@1 t6.1@1
c1 ack s1 1
    to c1: results s1 #3 of 3 [t6 completed attempt 1 on w1 "three"]
    RESULT_ACK s1 1 (lazy)
)");
}

TEST(TaskServiceBounds, AtTheBoundOfWaitersQuestionsAreRefused) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
c1 submit s1 low=1 1:echo
    SESSION_OPEN s1
    SUBMIT s1 1
commit
    to c1: accepted s1 1=t4
c2 wait 1 t4
c2 wait 2 t4
c2 wait 3 t4
    to c2: refused exhausted: too many questions wait for tasks
c2 gone
c3 wait 4 t4
)");
}

TEST(TaskServiceBounds, AtTheBoundOfWorkerNamesOnlyThoseThatWereSeenAreTaken) {
  Transcript transcript;
  for (std::size_t number = 1; number < limits::workers; ++number) {
    transcript.event("w" + std::to_string(number) + " hello echo");
  }
  EXPECT_TRUE(transcript.service->has_room_for("one-more"));
  transcript.event("w-last hello echo");
  EXPECT_FALSE(transcript.service->has_room_for("one-more"));
  EXPECT_TRUE(transcript.service->has_room_for("w1"));
  EXPECT_TRUE(transcript.service->has_room_for("w-last"));
}

TEST(TaskServiceBounds, AtTheBoundOfCancellationsOnTheWayMoreAreRefused) {
  expect_scene(R"(w1 hello echo
    NODE 1 w1 echo
c1 submit s1 low=1 1:echo 2:echo
    SESSION_OPEN s1
    SUBMIT s1 1
    SUBMIT s1 2
commit
    to c1: accepted s1 1=t4 2=t5
c2 cancel 1 t4 t5
    CANCEL t4
    CANCEL t5
c2 cancel 2 t4
    to c2: refused exhausted: too many cancellations are on their way
commit
    to c2: cancelAnswers 1: t4 cancelled t5 cancelled
    to c1: results s1 #1 of 1 [t4 cancelled error "cancelled"] #2 of 2 [t5 cancelled error "cancelled"]
c2 cancel 3 t4
    to c2: cancelAnswers 3: t4 already final
)");
}

// No worker waits for them, but each costs it a wake-up.
TEST(TaskServiceBounds, AcknowledgementsToWorkersLeaveWithADispatchOrSoon) {
  constexpr std::string_view scene = R"(w1 hello echo
    NODE 1 w1 echo
w1 credit 9
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
commit
    to c1: results s1 #1 of 1 [t4 completed attempt 1 on w1 "one"]
c1 submit s1 low=3 3:echo
    SUBMIT s1 3
commit
    LEASE t9.1 to 1 (lazy)
    to w1: dispatch t9.1@1 echo
    to c1: accepted s1 3=t9
    to w1: completeAck t4.1@1
commit
w1 complete t5.1 ok two
    RESULT t5.1 completed
commit
    to c1: results s1 #2 of 2 [t5 completed attempt 1 on w1 "two"]
wait 9
wait 1
    to w1: completeAck t5.1@1
)";
  Transcript transcript(ServiceLimits{});
  EXPECT_EQ(transcript.play(scene), scene);
}

}  // namespace
}  // namespace cidbus
