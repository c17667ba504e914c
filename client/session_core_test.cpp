#include "client/session_core.h"

#include <gtest/gtest.h>

#include "client/testing/session_fixture.h"
#include "shared/base/limits/messages.h"
#include "shared/base/limits/tasks.h"
#include "shared/base/limits/times.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;

TEST_F(Session, WhatATurnCollectedLeavesAsOneSubmitAndEachResultIsCalledBackOnceAndAcknowledgedOnce) {
  open();
  submit("a");
  submit("b");
  tick();
  out.expect("-> submit s1 low 2 2:echo/a 3:echo/b");
  accept(1, {{2, {10}, false}, {3, {11}, false}});
  out.expect("accepted 2 as ta");
  out.expect("accepted 3 as tb");
  results(1, {result(2, 3, {11}), result(3, 2, {10})});
  out.expect("result 3 completed done");
  out.expect("result 2 completed done");
  EXPECT_TRUE(core.idle());
  tick_acknowledging();
  out.expect("-> ack s1 3");
  EXPECT_EQ(deadline, Monotonic::max());
  core.close();
  tick();
  out.expect("-> close s1");
  tick();
}

TEST_F(Session, ItOpensWithOneSubmissionAlone) {
  submit("a");
  submit("b");
  tick();
  out.expect_nothing_else();  // not bound yet
  bind();
  tick();
  out.expect("-> submit s1 low 1 1:echo/a");
  reject(1, Refusal::BadMessage);
  out.expect("rejected 1 bad message: because +0");
  tick();
  out.expect("-> submit s1 low 1 2:echo/b");  // still no broker knows the session
  submit("c");
  accept(1, {{2, {10}, false}});
  out.expect("accepted 2 as ta");
  tick();
  out.expect("-> submit s1 low 3 3:echo/c");
}

TEST_F(Session, NoMoreThanTheCreditIsOnTheWayUnanswered) {
  open();
  bind(2);
  for (const char* work : {"a", "b", "c"}) submit(work);
  tick();
  out.expect("-> resume s1 from 1");
  out.expect("-> submit s1 low 2 2:echo/a 3:echo/b");
  tick();
  out.expect_nothing_else();
  accept(1, {{3, {11}, false}});
  out.expect("accepted 3 as tb");
  tick();
  out.expect("-> submit s1 low 2 4:echo/c");
}

TEST_F(Session, AnotherBrokerIsAskedForTheResultsAndGetsTheUnansweredAgainUnderTheSameSeq) {
  open();
  submit("a");
  submit("b");
  tick();
  out.expect("-> submit s1 low 2 2:echo/a 3:echo/b");
  accept(1, {{2, {10}, false}});
  out.expect("accepted 2 as ta");
  core.on_unbound(now);
  tick();
  out.expect_nothing_else();
  bind();
  tick();
  out.expect("-> resume s1 from 1");
  out.expect("-> submit s1 low 3 3:echo/b");
  accept(1, {{3, {11}, true}});
  out.expect("accepted 3 as tb again");
}

TEST_F(Session, ASessionNoBrokerAnsweredForIsOpenedAgainAndResumedAfterwards) {
  submit("a");
  bind();
  tick();
  out.expect("-> submit s1 low 1 1:echo/a");
  bind();
  tick();
  out.expect("-> submit s1 low 1 1:echo/a");  // a resume would be refused by a broker that never heard of it
  accept(1, {{1, {10}, true}});
  out.expect("accepted 1 as ta again");
  tick();
  out.expect("-> resume s1 from 0");
}

TEST_F(Session, ASilentBrokerGetsTheUnansweredAgainAtDoublingIntervals) {
  submit("a");
  bind();
  tick();
  out.expect("-> submit s1 low 1 1:echo/a");
  EXPECT_EQ(deadline, now + 2s);
  after(2s - 1ns);
  tick();
  out.expect_nothing_else();
  after(1ns);
  tick();
  out.expect("-> submit s1 low 1 1:echo/a");
  EXPECT_EQ(deadline, now + 4s);
}

TEST_F(Session, AnswersToOthersDoNotKeepALostOneFromBeingSentAgain) {
  open();
  submit("lost");
  submit("b");
  tick();
  out.expect("-> submit s1 low 2 2:echo/lost 3:echo/b");
  after(1s);
  accept(1, {{3, {11}, false}});
  out.expect("accepted 3 as tb");
  after(1s);
  tick();
  out.expect("-> submit s1 low 2 2:echo/lost");
}

TEST_F(Session, ResultsAboveAGapAreAskedForAgainAndThoseBelowTheCursorDropped) {
  open();
  for (const char* work : {"a", "b", "c"}) submit(work);
  tick();
  out.expect("-> submit s1 low 2 2:echo/a 3:echo/b 4:echo/c");
  accept(1, {{2, {10}, false}, {3, {11}, false}, {4, {12}, false}});
  for (const char* line : {"accepted 2 as ta", "accepted 3 as tb", "accepted 4 as tc"}) out.expect(line);
  results(1, {result(2, 2, {10}), result(4, 4, {12})});
  out.expect("result 2 completed done");
  tick();
  out.expect("-> resume s1 from 2");  // it carries the acknowledgement as well
  results(1, {result(2, 2, {10}), result(3, 3, {11}), result(4, 4, {12})});
  out.expect("result 3 completed done");
  out.expect("result 4 completed done");
  tick();
  out.expect("-> ack s1 4");  // at once: the broker may not have heard the last one
  EXPECT_TRUE(core.idle());
}

TEST_F(Session, AnAcknowledgementThatWasLostIsSentAgainWhenTheResultComesAgain) {
  open();
  results(1, {result(1, 1, {9})});
  tick();
  out.expect("-> ack s1 1");
}

TEST_F(Session, AResultProvesThatItsSubmissionWasAccepted) {
  submit("a");
  bind();
  tick();
  out.expect("-> submit s1 low 1 1:echo/a");
  results(1, {result(1, 1, {10})});
  out.expect("accepted 1 as ta");
  out.expect("result 1 completed done");
  accept(1, {{1, {10}, true}});
  tick_acknowledging();
  out.expect("-> ack s1 1");
}

TEST_F(Session, AnAcknowledgementLeavesBehindTheNextSubmission) {
  open();
  submit("a");
  tick();
  out.expect("-> submit s1 low 2 2:echo/a");
  accept(1, {{2, {10}, false}});
  out.expect("accepted 2 as ta");
  results(1, {result(2, 2, {10})});
  out.expect("result 2 completed done");
  submit("b");
  tick();
  out.expect("-> submit s1 low 3 3:echo/b");
  out.expect("-> ack s1 2");
}

TEST_F(Session, ManyResultsAreAcknowledgedAtOnce) {
  open();
  std::vector<ResultItem> many;
  for (std::uint64_t rseq = 2; rseq < 514; ++rseq) many.push_back(result(rseq, rseq, {rseq}));
  results(1, many);
  tick();
  out.expect("-> ack s1 513");
}

TEST_F(Session, WhatABrokerHasNoRoomForGoesAgainUnderTheSameSeqAfterItsRetryAfter) {
  open();
  submit("a");
  tick();
  out.expect("-> submit s1 low 2 2:echo/a");
  reject(2, Refusal::Exhausted, 500ms);
  submit("b");
  tick();
  out.expect_nothing_else();
  EXPECT_GE(deadline, now + 500ms);
  EXPECT_LE(deadline, now + 550ms);
  now = deadline;
  tick();
  out.expect("-> submit s1 low 2 2:echo/a 3:echo/b");
}

TEST_F(Session, ARefusalThatWaitingCannotCureIsCalledBack) {
  open();
  submit("a");
  tick();
  out.expect("-> submit s1 low 2 2:echo/a");
  reject(2, Refusal::NotAllowed);
  out.expect("rejected 2 not allowed: because +0");
  EXPECT_TRUE(core.idle());
}

class SurfacingSession : public Session {
 protected:
  SurfacingSession() : Session(SessionSettings{.retry_exhausted = false}) {}
};

TEST_F(SurfacingSession, TheCallerMayHaveExhaustionCalledBackInstead) {
  submit("a");
  bind();
  tick();
  out.expect("-> submit s1 low 1 1:echo/a");
  reject(1, Refusal::Exhausted, 500ms);
  out.expect("rejected 1 exhausted: because +500");
  EXPECT_TRUE(core.idle());
}

TEST_F(Session, AfterExpiryTheKeylessAreUnknownTheKeyedGoAgainAndOwedResultsAreWaitedForById) {
  open();
  submit("owed");
  submit("keyless");
  submit("keyed", "k");
  tick();
  out.expect("-> submit s1 low 2 2:echo/owed 3:echo/keyless 4:echo/keyed#k");
  accept(1, {{2, {10}, false}});
  out.expect("accepted 2 as ta");
  core.on_unbound(now);
  bind();
  tick();
  out.expect("-> resume s1 from 1");
  out.expect("-> submit s1 low 3 3:echo/keyless 4:echo/keyed#k");
  expire();
  out.expect("unknown 3");
  tick();
  out.expect("-> submit s2 low 1 1:echo/keyed#k");
  out.expect("-> wait for ta");
  accept(1, {{4, {12}, false}});  // of the expired session
  out.expect_nothing_else();
  accept(2, {{1, {12}, true}});
  out.expect("accepted 4 as tc again");
  tick();
  out.expect("-> wait for tc");
  EXPECT_TRUE(
      core.on_message(now, TaskInfos{{SessionCore::first_request}, {completed({10})}, {{12}}, false}));
  out.expect("result 2 completed done");
  out.expect("unknown 4 tc");  // the task under the key is not remembered any more
  EXPECT_TRUE(core.idle());
}

TEST_F(Session, ASubmissionAnsweredWithSessionExpiredExpiresTheSessionToo) {
  open();
  submit("keyless");
  tick();
  out.expect("-> submit s1 low 2 2:echo/keyless");
  reject(2, Refusal::SessionExpired);
  out.expect("unknown 2");
  submit("new");
  tick();
  out.expect("-> submit s2 low 1 1:echo/new");
}

TEST_F(Session, ARefusalOfAnotherSessionsResumeDoesNotEndThisOne) {
  submit("a");
  bind();
  tick();
  out.expect("-> submit s1 low 1 1:echo/a");
  EXPECT_FALSE(core.on_message(now, Refused{Refusal::SessionExpired, "session expired", 0ms}));
}

TEST_F(Session, OutOfSightForHalfItsLifeItHoldsTheNewUntilItKnowsWhetherItExpired) {
  open();
  core.on_unbound(now);
  submit("new");
  after(Duration(limits::session_ttl) / 2);
  bind();
  tick();
  out.expect("-> resume s1 from 1");
  expire();
  tick();
  out.expect("-> submit s2 low 1 1:echo/new");
}

TEST_F(Session, OutOfSightForHalfItsLifeAnUnansweredOpeningWithoutAKeyIsUnknown) {
  submit("keyless");
  submit("new");
  bind();
  tick();
  out.expect("-> submit s1 low 1 1:echo/keyless");
  core.on_unbound(now);
  after(Duration(limits::session_ttl) / 2);
  bind();
  out.expect("unknown 1");
  tick();
  out.expect("-> submit s1 low 1 2:echo/new");
}

TEST_F(Session, TwoSubmissionsUnderOneKeyBothGetTheOneResult) {
  open();
  submit("a", "k");
  submit("a", "k");
  tick();
  out.expect("-> submit s1 low 2 2:echo/a#k 3:echo/a#k");
  accept(1, {{2, {10}, false}, {3, {10}, true}});
  out.expect("accepted 2 as ta");
  out.expect("accepted 3 as ta again");
  tick();
  out.expect("-> wait for ta");
  results(1, {result(2, 2, {10})});
  out.expect("result 2 completed done");
  out.expect("result 3 completed done");
  EXPECT_TRUE(core.on_message(now, TaskInfos{{SessionCore::first_request}, {completed({10})}, {}, false}));
  tick_acknowledging();
  out.expect("-> ack s1 2");
  EXPECT_TRUE(core.idle());
}

TEST_F(Session, ResultsThatDoNotComeAreAskedForAgain) {
  submit("a");
  bind();
  tick();
  out.expect("-> submit s1 low 1 1:echo/a");
  accept(1, {{1, {10}, false}});
  out.expect("accepted 1 as ta");
  tick();
  EXPECT_EQ(deadline, now + 10s);
  now = deadline;
  tick();
  out.expect("-> resume s1 from 0");
  EXPECT_EQ(deadline, now + 10s);
  now = deadline;
  tick();
  out.expect("-> resume s1 from 0");
  EXPECT_EQ(deadline, now + 20s);
}

TEST_F(Session, AMessageHoldsAtMostItsBoundOfItemsAndAboutAMebibyte) {
  const std::string big(limits::payload_bytes, 'x');
  std::vector<std::size_t> counts;
  struct Counter : Transcript {
    explicit Counter(std::vector<std::size_t>& out) : counts(out) {}
    void send(const Message& message) override { counts.push_back(std::get<Submit>(message).items.size()); }
    std::vector<std::size_t>& counts;
  } counter(counts);
  SessionCore other(session_of(1), {}, counter);
  other.submit("echo", {}, {});
  for (std::size_t i = 0; i <= limits::items_a_message; ++i) other.submit("echo", {}, {});
  for (int i = 0; i < 5; ++i) other.submit("echo", {}, as_bytes(big));
  other.on_bound(now, 100'000);
  other.tick(now);
  other.on_message(now, Accepted{session_of(1), Durability::Disk, {{1, {9}, false}}});
  other.tick(now);
  EXPECT_EQ(counts, (std::vector<std::size_t>{1, 4096, 4, 2}));
}

TEST_F(Session, ItDoesNotRunAheadOfAnUnansweredSubmissionBeyondTheBrokersMemory) {
  std::uint64_t highest = 0;
  struct Follower : Transcript {
    void send(const Message& message) override {
      for (const SubmitItem& item : std::get<Submit>(message).items) seqs.push_back(item.seq);
    }
    void accepted(Ticket, TaskId, bool) override {}
    std::vector<std::uint64_t> seqs;
  } follower;
  SessionCore other(session_of(1), {}, follower);
  for (std::uint64_t i = 0; i < limits::session_window + 100; ++i) other.submit("echo", {}, {});
  other.on_bound(now, 4096);
  for (int turn = 0; turn < 20; ++turn) {
    other.tick(now);
    Accepted accepted{session_of(1), Durability::Disk, {}};
    for (const auto seq : follower.seqs) {
      highest = std::max(highest, seq);
      if (seq != 2) accepted.items.push_back({seq, {seq}, false});
    }
    follower.seqs.clear();
    other.on_message(now, accepted);
  }
  EXPECT_EQ(highest, 2 + limits::session_window - 1);
}

class SmallSession : public Session {
 protected:
  SmallSession() : Session(SessionSettings{.unanswered_bytes = 1000, .held = 3}) {}
};

TEST_F(SmallSession, ItHasNoRoomBeyondItsBoundsUntilSomethingIsAnswered) {
  submit(std::string(1000, 'x'));
  EXPECT_FALSE(core.has_room());
  bind();
  tick();
  out.expect("-> submit s1 low 1 1:echo/" + std::string(1000, 'x'));
  accept(1, {{1, {10}, false}});
  out.expect("accepted 1 as ta");
  EXPECT_TRUE(core.has_room());
  submit("b");
  submit("c");
  EXPECT_FALSE(core.has_room());  // three are held: one owed its result, two unanswered
}

class CarelessSession : public Session {
 protected:
  CarelessSession() : Session(SessionSettings{.await_results = false}) {}
};

TEST_F(CarelessSession, WhoWantsNoResultsIsDoneWhenAcceptedAndTakesResultsOffTheBroker) {
  submit("a", "k");
  bind();
  tick();
  out.expect("-> submit s1 low 1 1:echo/a#k");
  accept(1, {{1, {10}, true}});
  out.expect("accepted 1 as ta again");
  EXPECT_TRUE(core.idle());
  results(1, {result(1, 1, {10})});
  tick_acknowledging();
  out.expect("-> ack s1 1");
}

TEST_F(Session, MessagesOfOtherSessionsAndQuestionsAreNotItsBusiness) {
  open();
  accept(9, {{1, {10}, false}});
  results(9, {result(1, 1, {10})});
  EXPECT_FALSE(core.on_message(now, TaskInfos{{7}, {completed({10})}, {}, false}));
  EXPECT_FALSE(core.on_message(now, Pong{}));
  accept(1, {{5, {10}, false}, {0, {11}, false}, {~0ULL, {12}, false}});
  results(1, {result(2, 5, {10})});
  tick_acknowledging();
  out.expect("-> ack s1 2");
}

}  // namespace
}  // namespace cidbus
