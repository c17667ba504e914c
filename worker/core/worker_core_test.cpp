#include "worker/core/worker_core.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <utility>

namespace cidbus {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

// Writes down what the core does, a line each; messages as their name and what matters of them.
class RecordingOutput : public WorkerCore::Output {
 public:
  bool send(const Message& message) override {
    if (!reachable) return false;
    std::string line(name_of(message));
    if (const auto* credit = std::get_if<Credit>(&message)) line += " " + std::to_string(credit->tasks);
    if (const auto* renew = std::get_if<Renew>(&message)) {
      for (const auto& attempt : renew->attempts) line += " " + to_text(attempt.task);
    }
    if (const auto* progress = std::get_if<Progress>(&message)) line += " " + to_text(progress->attempt.task);
    if (const auto* complete = std::get_if<Complete>(&message)) {
      for (const auto& item : complete->items) {
        line += " " + to_text(item.attempt.task) + "=" + std::string(to_text(item.outcome));
      }
    }
    lines.push_back(line);
    return true;
  }
  void start(const DispatchItem& item) override {
    lines.push_back("start " + to_text(item.attempt.task));
    waiting.insert(item.attempt);
  }
  bool withdraw(const AttemptId& attempt) override { return waiting.erase(attempt) > 0; }
  void cancel(const AttemptId& attempt) override { lines.push_back("cancel " + to_text(attempt.task)); }

  void overdue(const AttemptId& attempt, Duration) override {
    lines.push_back("overdue " + to_text(attempt.task));
  }

  Lines take() { return std::exchange(lines, {}); }
  void expect_nothing_else() { EXPECT_EQ(lines, Lines{}); }

  bool reachable = true;
  Lines lines;
  std::set<AttemptId> waiting;
};

class WorkerCoreTest : public ::testing::Test {
 protected:
  RecordingOutput output;
  WorkerCore core{2, output};
  Now now{Monotonic(1h), WallTime{1}};

  static AttemptId attempt(std::uint64_t task) { return {TaskId{task}, 0, 1, Epoch{1}}; }
  void bind() { core.on_bound(now, Welcome{"b1", 1s, 5s, 30s, 0}); }
  void dispatch(std::uint64_t task, std::chrono::milliseconds limit = 0ms) {
    core.on_message(now, Dispatch{{{attempt(task), "echo", limit, {}}}});
  }
  void dispatch_strict(std::uint64_t task) {
    core.on_message(now, Dispatch{{{attempt(task), "echo", 0ms, {}, true, 30s}}});
  }
  void renewed(std::uint64_t number, std::uint64_t task) {
    core.on_message(now, Renewed{{attempt(task)}, {}, number});
  }
  void begin(std::uint64_t task) {
    output.waiting.erase(attempt(task));
    core.on_begin(now, attempt(task));
  }
  void end(std::uint64_t task, Outcome outcome = Outcome::Completed) {
    core.on_end({attempt(task), outcome, {}, {}, {}});
  }
  void acknowledge(std::uint64_t task) { core.on_message(now, CompleteAck{{attempt(task)}}); }
  Lines turn(Duration passed = 0ms) {
    now.monotonic += passed;
    core.end_turn(now);
    return output.take();
  }
};

TEST_F(WorkerCoreTest, GrantsCreditForItsSlotsOnceItIsBound) {
  EXPECT_EQ(turn(), Lines{});
  bind();
  EXPECT_EQ(turn(), (Lines{"credit 2"}));
  EXPECT_EQ(turn(), Lines{});
}

TEST_F(WorkerCoreTest, WithFewerSlotsWhatWasGrantedIsTakenAndLessIsAskedFor) {
  bind();
  EXPECT_EQ(turn(), (Lines{"credit 2"}));
  core.set_slots(1);
  dispatch(1);
  dispatch(2);
  EXPECT_EQ(output.take(), (Lines{"start t1", "start t2"}));
  begin(1);
  end(1);
  EXPECT_EQ(turn(), (Lines{"complete t1=completed"})) << "one is waiting for the one slot";
  begin(2);
  end(2);
  EXPECT_EQ(turn(), (Lines{"complete t2=completed", "credit 1"}));
  core.set_slots(2);
  EXPECT_EQ(turn(), (Lines{"credit 1"}));
}

TEST_F(WorkerCoreTest, WhatWaitsBehindTasksThatTurnOutLongIsHandedBackOnce) {
  bind();
  turn();
  for (const std::uint64_t task : {1, 2, 3, 4}) dispatch(task);
  output.take();
  begin(1);
  EXPECT_EQ(turn(100ms), Lines{});
  begin(2);
  EXPECT_EQ(turn(150ms), (Lines{"progress t1"})) << "the other slot may be free in a moment";
  const Lines told = turn(100ms);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0], "progress t2");
  EXPECT_NE(told[1].find("t3=cancelled"), std::string::npos) << told[1];
  EXPECT_NE(told[1].find("t4=cancelled"), std::string::npos) << told[1];
  acknowledge(3);
  acknowledge(4);
  dispatch(5);
  EXPECT_EQ(output.take(), (Lines{"start t5"}));
  EXPECT_EQ(turn(1s), Lines{}) << "the leader knows, and sends it all the same";
  EXPECT_EQ(core.held().size(), 3u);
}

TEST_F(WorkerCoreTest, ANewLeaderIsToldWhatRunsLong) {
  bind();
  turn();
  dispatch(1);
  output.take();
  begin(1);
  EXPECT_EQ(turn(250ms), (Lines{"progress t1"}));
  core.on_unbound();
  bind();
  const Lines told = turn();
  EXPECT_EQ(std::count(told.begin(), told.end(), "progress t1"), 1);
}

TEST_F(WorkerCoreTest, RunsTellsAndForgetsAnAttemptOnlyWhenItIsAcknowledged) {
  bind();
  turn();
  dispatch(1);
  EXPECT_EQ(output.take(), (Lines{"start t1"}));
  begin(1);
  end(1);
  EXPECT_EQ(turn(), (Lines{"complete t1=completed", "credit 1"})) << "its slot is free, acknowledged or not";
  EXPECT_EQ(core.held().size(), 1u);
  acknowledge(1);
  EXPECT_EQ(core.held().size(), 0u);
  EXPECT_EQ(turn(), Lines{});
  output.expect_nothing_else();
}

TEST_F(WorkerCoreTest, TellsWhatEndedAgainToEachNewLeaderAndWhenNobodyAcknowledges) {
  bind();
  turn();
  dispatch(1);
  begin(1);
  end(1);
  turn();
  core.on_unbound();
  EXPECT_EQ(turn(1s), Lines{});
  bind();
  EXPECT_EQ(turn()[0], "complete t1=completed");
  EXPECT_EQ(turn(5s)[0], "complete t1=completed");
}

TEST_F(WorkerCoreTest, AnEndThatCouldNotBeSentIsSentLater) {
  bind();
  dispatch(1);
  begin(1);
  end(1);
  output.reachable = false;
  output.take();
  EXPECT_EQ(turn(), Lines{});
  output.reachable = true;
  EXPECT_EQ(turn()[0], "complete t1=completed");
}

TEST_F(WorkerCoreTest, ADispatchSentTwiceRunsOnce) {
  bind();
  dispatch(1);
  dispatch(1);
  EXPECT_EQ(output.take(), (Lines{"start t1"}));
}

TEST_F(WorkerCoreTest, RenewsEveryThirdOfALease) {
  bind();
  turn();
  dispatch(1);
  begin(1);
  output.take();
  EXPECT_EQ(turn(10s), (Lines{"progress t1", "renew t1"}));
  EXPECT_EQ(turn(9s), Lines{});
  EXPECT_EQ(turn(1s), (Lines{"renew t1"}));
}

TEST_F(WorkerCoreTest, ALongAttemptIsToldAsProcessingOnceAndAShortOneNever) {
  bind();
  turn();
  dispatch(1);
  dispatch(2);
  begin(1);
  begin(2);
  end(2);
  output.take();
  turn(249ms);
  EXPECT_EQ(turn(1ms), (Lines{"progress t1"}));
  EXPECT_EQ(turn(500ms), Lines{});
}

TEST_F(WorkerCoreTest, AnAttemptPastItsTimeLimitIsToldWithWhatItLeavesBehindInAMoment) {
  bind();
  turn();
  dispatch(1, 100ms);
  begin(1);
  output.take();
  EXPECT_EQ(turn(100ms), (Lines{"cancel t1"}));
  end(1, Outcome::Failed);
  EXPECT_EQ(turn()[0], "complete t1=timed out");
}

TEST_F(WorkerCoreTest, AnAttemptPastItsTimeLimitIsToldSoonAndItsLaterEndIsDropped) {
  bind();
  turn();
  dispatch(1, 100ms);
  begin(1);
  output.take();
  EXPECT_EQ(turn(100ms), (Lines{"cancel t1"}));
  EXPECT_EQ(turn(499ms), (Lines{}));
  EXPECT_EQ(turn(1ms), (Lines{"complete t1=timed out"}));
  end(1);
  acknowledge(1);
  EXPECT_EQ(core.held().size(), 0u);
}

TEST_F(WorkerCoreTest, ASlotThatDoesNotStopIsNotCountedOnUntilItDoes) {
  bind();
  turn();
  dispatch(1, 100ms);
  begin(1);
  turn(100ms);
  turn(500ms);
  acknowledge(1);
  EXPECT_EQ(core.held().size(), 0u);
  EXPECT_EQ(core.wanted_tasks(), 1u) << "one of two slots is stuck";
  end(1);
  EXPECT_EQ(core.wanted_tasks(), 2u);
}

TEST_F(WorkerCoreTest, ALostLeaseIsDroppedIfItHasNotBegunAndGoesOnIfItHas) {
  bind();
  turn();
  dispatch(1);
  dispatch(2);
  begin(1);
  core.on_message(now, Renewed{{}, {attempt(1), attempt(2)}});
  EXPECT_EQ(core.held(), std::vector{attempt(1)});
}

TEST_F(WorkerCoreTest, ARevokedAttemptIsWithdrawnOrStopped) {
  bind();
  turn();
  dispatch(1);
  dispatch(2);
  begin(2);
  output.take();
  core.on_message(now, Revoke{{attempt(1), attempt(2), attempt(3)}});
  EXPECT_EQ(turn(), (Lines{"cancel t2", "complete t1=cancelled", "credit 1"}));
  end(2, Outcome::Failed);
  EXPECT_EQ(turn()[0], "complete t2=cancelled");
}

TEST_F(WorkerCoreTest, DrainingHandsBackWhatHasNotBegunAndWaitsForTheRest) {
  bind();
  turn();
  dispatch(1);
  dispatch(2);
  begin(1);
  output.take();
  core.drain(now.monotonic + 10s);
  EXPECT_EQ(turn(), (Lines{"complete t2=handed back"}));
  dispatch(3);
  EXPECT_EQ(turn(), (Lines{"complete t3=handed back"}));
  end(1);
  turn();
  for (std::uint64_t task = 1; task <= 3; ++task) acknowledge(task);
  EXPECT_TRUE(core.drained());
}

TEST_F(WorkerCoreTest, WhatRunsPastTheDrainDeadlineIsHandedBack) {
  bind();
  turn();
  dispatch(1);
  begin(1);
  core.drain(now.monotonic + 10s);
  output.take();
  const Lines lines = turn(10s);
  EXPECT_EQ(lines[0], "cancel t1");
  EXPECT_EQ(turn(500ms)[0], "complete t1=handed back");
}

TEST_F(WorkerCoreTest, AStrictAttemptBeginsWhenARenewalIsAnsweredAndStopsATenthBeforeItsLeaseEnds) {
  bind();
  turn();
  dispatch_strict(1);
  EXPECT_EQ(turn(), (Lines{"renew t1"}));
  now.monotonic += 2s;  // the answer takes its time: the lease is counted from the asking
  renewed(1, 1);
  EXPECT_EQ(output.take(), (Lines{"start t1"}));
  begin(1);
  EXPECT_EQ(turn(10s), (Lines{"progress t1", "renew t1"}));
  renewed(1, 1);  // an answer told twice prolongs nothing
  EXPECT_EQ(turn(14999ms), (Lines{"renew t1"}));
  EXPECT_EQ(turn(1ms), (Lines{"cancel t1"}));
  EXPECT_EQ(turn(1s), Lines{}) << "it ends when its slot has ended";
  end(1, Outcome::Failed);
  EXPECT_EQ(turn()[0], "complete t1=cancelled");
}

TEST_F(WorkerCoreTest, AnAnsweredRenewalProlongsAStrictAttempt) {
  bind();
  turn();
  dispatch_strict(1);
  turn();
  renewed(1, 1);
  begin(1);
  turn(20s);
  renewed(2, 1);
  EXPECT_EQ(turn(26s), (Lines{"renew t1"}));
  core.on_unbound();
  EXPECT_EQ(turn(1s), (Lines{"cancel t1"}));
}

TEST_F(WorkerCoreTest, AStrictAttemptThatNoSlotHasBegunIsWithdrawnWhenItsLeaseRunsOut) {
  bind();
  turn();
  dispatch_strict(1);
  dispatch_strict(2);
  turn();
  core.on_unbound();
  now.monotonic += 28s;
  renewed(1, 1);  // too late to begin with
  EXPECT_EQ(output.take(), Lines{});
  now.monotonic -= 28s;
  renewed(1, 1);
  EXPECT_EQ(output.take(), Lines{}) << "an answer counts once";
  bind();
  turn();
  renewed(2, 2);
  EXPECT_EQ(output.take(), (Lines{"start t2"}));
  core.on_unbound();
  turn(27s);
  bind();
  EXPECT_EQ(turn()[0], "complete t2=cancelled");
}

TEST_F(WorkerCoreTest, AStrictAttemptThatHasLostItsLeaseIsStopped) {
  bind();
  turn();
  dispatch_strict(1);
  dispatch_strict(2);
  turn();
  renewed(1, 1);
  begin(1);
  output.take();
  core.on_message(now, Renewed{{}, {attempt(1), attempt(2)}, 1});
  EXPECT_EQ(output.take(), (Lines{"cancel t1"}));
  EXPECT_EQ(core.held(), std::vector{attempt(1)}) << "what was not begun is forgotten, what has is not over";
  end(1, Outcome::Failed);
  EXPECT_EQ(turn()[0], "complete t1=cancelled");
}

TEST_F(WorkerCoreTest, AStrictAttemptPastItsTimeLimitIsHeldUntilItsSlotIsDone) {
  bind();
  turn();
  core.on_message(now, Dispatch{{{attempt(1), "echo", 100ms, {}, true, 30s}}});
  turn();
  renewed(1, 1);
  begin(1);
  output.take();
  EXPECT_EQ(turn(100ms), (Lines{"cancel t1"}));
  EXPECT_EQ(turn(10s), (Lines{"overdue t1", "renew t1"})) << "nobody else may have it yet";
  end(1, Outcome::Failed);
  EXPECT_EQ(turn()[0], "complete t1=timed out");
}

TEST_F(WorkerCoreTest, ASlotThatDoesNotStopIsSaidToBeOverdueOnceAndCountsAsBusyUntilItDoes) {
  bind();
  turn();
  dispatch(1, 100ms);
  dispatch(2);
  begin(1);
  begin(2);
  output.take();
  EXPECT_EQ(turn(100ms), (Lines{"cancel t1"}));
  turn(500ms);
  acknowledge(1);
  EXPECT_EQ(core.held(), std::vector{attempt(2)}) << "it was told as timed out";
  turn(4s);
  EXPECT_EQ(core.busy(), 2U);
  EXPECT_LE(core.end_turn(now), now.monotonic + 500ms);
  EXPECT_EQ(turn(500ms).front(), "overdue t1");
  end(2);
  acknowledge(2);
  turn(1h);
  EXPECT_EQ(core.busy(), 1U);
  dispatch(3);
  begin(3);
  core.on_message(now, Revoke{{attempt(3)}});
  turn();
  end(3);
  turn(6s);
  end(1);
  EXPECT_EQ(core.busy(), 0U);
  const Lines told = turn(1h);
  EXPECT_EQ(
      std::count_if(told.begin(), told.end(), [](const auto& line) { return line.starts_with("overdue"); }),
      0);
}

TEST_F(WorkerCoreTest, CreditFollowsTheRateOfCompletionAndFallsBackToTheSlots) {
  bind();
  turn();
  std::uint64_t next = 1;
  for (int round = 0; round < 20; ++round) {
    while (core.held().size() < core.wanted_tasks()) dispatch(next++);
    for (const auto& held : core.held()) {
      core.on_begin(now, held);
      core.on_end({held, Outcome::Completed, {}, {}, {}});
      core.on_message(now, CompleteAck{{held}});
    }
    turn(5ms);
  }
  EXPECT_GT(core.wanted_tasks(), 20u);
  for (int round = 0; round < 20; ++round) turn(50ms);
  EXPECT_EQ(core.wanted_tasks(), 2u);
}

TEST_F(WorkerCoreTest, NeverHoldsOrAsksForMoreThanItsLimit) {
  bind();
  turn();
  std::uint64_t next = 1;
  for (int round = 0; round < 60; ++round) {
    for (int count = 0; count < 3000; ++count) {
      const auto id = attempt(next++);
      core.on_message(now, Dispatch{{{id, "echo", 0ms, {}}}});
      core.on_begin(now, id);
      core.on_end({id, Outcome::Completed, {}, {}, {}});
      core.on_message(now, CompleteAck{{id}});
    }
    turn(10ms);
  }
  EXPECT_EQ(core.wanted_tasks(), limits::tasks_a_worker);
}

TEST_F(WorkerCoreTest, HoldsNoMoreThanItsLimitWhenNothingIsAcknowledged) {
  bind();
  std::uint64_t next = 1;
  std::size_t granted = 0;
  for (int round = 0; round < 400; ++round) {
    for (const std::string& line : turn(10ms)) {
      if (line.starts_with("credit ")) granted += std::stoul(line.substr(7));
    }
    for (; next <= granted; ++next) {
      dispatch(next);
      core.on_begin(now, attempt(next));
      core.on_end({attempt(next), Outcome::Completed, {}, {}, {}});
    }
    output.take();
  }
  EXPECT_EQ(granted, limits::tasks_a_worker);
  EXPECT_EQ(core.held().size(), limits::tasks_a_worker);
}

}  // namespace
}  // namespace cidbus
