// The rules of the replicated state, each by its sentence.
#include <gtest/gtest.h>

#include "broker/tasks/test_support.h"

namespace cidbus {
namespace {

using std::chrono::milliseconds;
using testing_tasks::Answer;
using testing_tasks::Journal;
using testing_tasks::session_id;

StateLimits small_limits() {
  StateLimits limits;
  limits.session_ttl = milliseconds(1000);
  limits.key_ttl = milliseconds(5000);
  limits.result_ttl = milliseconds(700);
  limits.finished_kept = 3;
  return limits;
}
TaskOptions with_key(std::string_view key) {
  TaskOptions options;
  options.key = key;
  return options;
}

TEST(StateMachine, TheIdOfATaskIsTheIndexOfItsSubmission) {
  Journal journal;
  journal.open_session(1);
  EXPECT_EQ(journal.submit(1, 1).task, TaskId{2});
  EXPECT_EQ(journal.submit(1, 2).task, TaskId{3});
}

TEST(StateMachine, C2ASessionEndsAnHourAfterItsLastContactInRecordTime) {
  Journal journal(small_limits());
  journal.open_session(1);
  journal.open_session(2);
  journal.now = journal.now + milliseconds(900);
  journal.renew_session(1);
  journal.now = journal.now + milliseconds(101);
  journal.renew_session(1);  // any record moves the time; session 2 was silent
  EXPECT_NE(journal.state.find(session_id(1)), 0u);
  EXPECT_EQ(journal.state.find(session_id(2)), 0u);
  EXPECT_EQ(journal.count(ChangeKind::SessionClosed), 1u);
  EXPECT_EQ(journal.submit(2, 1).kind, ChangeKind::Expired);
}

TEST(StateMachine, C3ARepeatIsKnownUntilTheLowWaterPassesIt) {
  Journal journal;
  journal.open_session(1);
  const TaskId task = journal.submit(1, 5).task;
  const Answer again = journal.submit(1, 5);
  EXPECT_EQ(again.task, task);
  EXPECT_TRUE(again.duplicate);
  EXPECT_TRUE(journal.submit(1, 5, {}, 5).duplicate);
  EXPECT_EQ(journal.submit(1, 5, {}, 6).kind, ChangeKind::Expired);
}

TEST(StateMachine, C3AKeyThatALeecherMadeOutlastsOthers) {
  StateLimits limits = small_limits();
  limits.outbox_key_ttl = milliseconds(50'000);
  Journal journal(limits);
  journal.open_session(1);
  const TaskId theirs = journal.submit(1, 1, with_key("outbox/l1/1")).task;
  const TaskId ours = journal.submit(1, 2, with_key("k")).task;
  journal.cancel(theirs);
  journal.cancel(ours);
  journal.close_session(1);
  journal.now = journal.now + milliseconds(40'000);
  journal.open_session(2);
  EXPECT_EQ(journal.submit(2, 1, with_key("outbox/l1/1")).task, theirs);
  EXPECT_NE(journal.submit(2, 2, with_key("k")).task, ours);
  journal.close_session(2);
  journal.now = journal.now + milliseconds(20'000);
  journal.open_session(3);
  journal.renew_session(3);
  EXPECT_NE(journal.submit(3, 1, with_key("outbox/l1/1")).task, theirs);
  journal.state.check_invariants();
}

TEST(StateMachine, C3AKeyAnswersAcrossSessionsUntilItsTimeAfterCompletionIsOver) {
  Journal journal(small_limits());
  journal.node(1, "w1");
  journal.open_session(1);
  const TaskId task = journal.submit(1, 1, with_key("k")).task;
  journal.close_session(1);
  journal.now = journal.now + milliseconds(100'000);  // open tasks keep their key however long they wait
  journal.open_session(2);
  EXPECT_EQ(journal.submit(2, 1, with_key("k")).task, task);
  journal.lease(task);
  journal.result(task);
  journal.now = journal.now + milliseconds(4999);
  journal.open_session(3);
  EXPECT_EQ(journal.submit(3, 1, with_key("k")).task, task);
  EXPECT_EQ(journal.owed(3), std::vector<TaskId>{task}) << "its result is there already";
  journal.now = journal.now + milliseconds(2);
  journal.renew_session(3);
  const Answer fresh = journal.submit(3, 2, with_key("k"));
  EXPECT_FALSE(fresh.duplicate);
  EXPECT_NE(fresh.task, task);
}

TEST(StateMachine, C3WhatASessionRemembersIsNotForgottenEarly) {
  Journal journal(small_limits());
  journal.open_session(1);
  std::vector<TaskId> tasks;
  for (std::uint64_t seq = 1; seq <= 10; ++seq) tasks.push_back(journal.submit(1, seq).task);
  for (const TaskId task : tasks) journal.cancel(task);
  journal.ack(1, 10);
  for (const TaskId task : tasks) EXPECT_TRUE(journal.knows(task)) << "its seq may be asked for again";
  journal.submit(1, 11, {}, 11);
  EXPECT_EQ(journal.state.tables().kept.count, small_limits().finished_kept);
  EXPECT_FALSE(journal.knows(tasks.front()));
  EXPECT_TRUE(journal.knows(tasks.back()));
}

TEST(StateMachine, C4ResultsAreKeptUntilAcknowledged) {
  Journal journal;
  journal.open_session(1);
  const TaskId first = journal.submit(1, 1).task;
  const TaskId second = journal.submit(1, 2).task;
  journal.cancel(second);
  journal.cancel(first);
  EXPECT_EQ(journal.owed(1), (std::vector<TaskId>{second, first})) << "in the order they became final";
  journal.ack(1, 1);
  EXPECT_EQ(journal.owed(1), std::vector<TaskId>{first});
  journal.ack(1, 1);
  EXPECT_EQ(journal.owed(1), std::vector<TaskId>{first});
  journal.ack(1, 99);
  EXPECT_TRUE(journal.owed(1).empty());
  EXPECT_EQ(journal.state.session(journal.state.find(session_id(1))).cursor, 2u);
}

TEST(StateMachine, C4AResultNobodyFetchesIsDroppedWhenItsTimeIsOver) {
  Journal journal(small_limits());
  journal.open_session(1);
  journal.cancel(journal.submit(1, 1).task);
  journal.now = journal.now + milliseconds(701);
  journal.renew_session(1);
  EXPECT_TRUE(journal.owed(1).empty());
  EXPECT_EQ(journal.count(ChangeKind::Acknowledged), 1u);
}

TEST(StateMachine, ASessionThatIsOwedMuchIsClearedAwayAFewResultsARecord) {
  Journal journal;
  journal.open_session(1);
  for (std::uint64_t seq = 1; seq <= 100; ++seq) journal.cancel(journal.submit(1, seq).task);
  journal.close_session(1);
  EXPECT_EQ(journal.state.find(session_id(1)), 0u) << "for everybody it is over at once";
  std::size_t records = 0;
  for (; journal.state.usage().sessions > 0; ++records) journal.renew_session(9);
  EXPECT_GT(records, 5u);
  EXPECT_LT(records, 20u);
  journal.open_session(1);
  EXPECT_TRUE(journal.owed(1).empty()) << "a session of the same id starts anew";
}

TEST(StateMachine, W5TheFirstResultWinsAndLaterOnesChangeNothing) {
  Journal journal;
  journal.node(1, "w1");
  journal.open_session(1);
  const TaskId task = journal.submit(1, 1).task;
  journal.lease(task);
  journal.result(task, "first");
  journal.result(task, "second");
  EXPECT_EQ(journal.count(ChangeKind::Stale), 1u);
  journal.result(task, "no", Outcome::Failed);
  journal.cancel(task);
  journal.expire(task);
  journal.requeue(task, 1);
  journal.lease(task, 2);
  EXPECT_EQ(as_text(journal.info(task).result), "first");
  EXPECT_EQ(journal.info(task).state, TaskState::Completed);
  EXPECT_EQ(journal.owed(1).size(), 1u);
}

TEST(StateMachine, ALeaseOrRequeueThatDoesNotFitTheRunIsIgnored) {
  Journal journal;
  journal.node(1, "w1");
  journal.open_session(1);
  const TaskId task = journal.submit(1, 1).task;
  journal.requeue(task, 0);
  EXPECT_EQ(journal.info(task).attempts, 0u);
  journal.lease(task, 2);
  journal.lease(task, 3);  // it has a lease
  EXPECT_EQ(journal.info(task).attempts, 2u);
  journal.requeue(task, 1);  // of an attempt that is over
  EXPECT_EQ(journal.info(task).state, TaskState::Assigned);
  journal.requeue(task, 2, RequeueReason::Retry, true, 50, "why");
  EXPECT_EQ(journal.info(task).state, TaskState::Pending);
  EXPECT_EQ(journal.info(task).error, "why");
  EXPECT_EQ(journal.state.rare(journal.state.find(task)).not_before, journal.now.milliseconds + 50);
  journal.lease(task, 1);  // an older attempt
  EXPECT_EQ(journal.info(task).state, TaskState::Pending);
  journal.lease(TaskId{4711}, 1);
  journal.result(TaskId{4711});
  EXPECT_EQ(journal.count(ChangeKind::Stale), 1u);
}

TEST(StateMachine, TriesAndLostAttemptsAreCountedApart) {
  Journal journal;
  journal.node(1, "w1");
  journal.open_session(1);
  const TaskId task = journal.submit(1, 1).task;
  const auto slot = [&] { return journal.state.task(journal.state.find(task)); };
  journal.lease(task, 1);
  journal.requeue(task, 1, RequeueReason::WorkerLost, false);
  journal.lease(task, 2);
  journal.requeue(task, 2, RequeueReason::Retry, true);
  journal.lease(task, 3);
  journal.requeue(task, 3, RequeueReason::HandedBack, false);
  EXPECT_EQ(slot().tries_used, 1);
  EXPECT_EQ(slot().lost, 1);
  EXPECT_EQ(slot().attempts, 3u);
}

TEST(StateMachine, AFinishedTaskOfAClosedSessionIsKeptUntilLaterOnesHaveCome) {
  Journal journal(small_limits());
  journal.open_session(1);
  std::vector<TaskId> tasks;
  for (std::uint64_t seq = 1; seq <= 5; ++seq) tasks.push_back(journal.submit(1, seq).task);
  journal.close_session(1);
  for (const TaskId task : tasks) journal.cancel(task);
  EXPECT_FALSE(journal.knows(tasks[1]));
  EXPECT_TRUE(journal.knows(tasks[2]) && journal.knows(tasks[4]));
}

TEST(StateMachine, KeptTasksAreBoundedInBytesToo) {
  StateLimits limits;
  limits.finished_kept_bytes = 20'000;
  Journal journal(limits);
  journal.open_session(1);
  const std::string work(3000, 'x');
  for (std::uint64_t seq = 1; seq <= 50; ++seq)
    journal.cancel(journal.submit(1, seq, {}, seq, "echo", work).task);
  journal.close_session(1);
  for (int i = 0; i < 20; ++i) journal.renew_session(9);
  EXPECT_LE(journal.state.tables().kept_bytes, 20'000u);
  EXPECT_GT(journal.state.tables().kept.count, 3u);
}

TEST(StateMachine, WorkersAndTypesGetTheirNumbersOnce) {
  Journal journal;
  journal.node(1, "w1", {"echo", "hash"});
  journal.node(2, "w2", {"hash", "resize"});
  journal.node(1, "w1", {"crop"});
  EXPECT_EQ(journal.state.nodes().name(2), "w2");
  EXPECT_EQ(journal.state.types().size(), 4);
  journal.open_session(1);
  journal.submit(1, 1, {}, 1, "unheard-of");
  EXPECT_EQ(journal.count(ChangeKind::TypeAdded), 1u);
  EXPECT_TRUE(journal.state.is_offered(journal.state.types().find("crop")));
  EXPECT_FALSE(journal.state.is_offered(journal.state.types().find("unheard-of")));
}

TEST(StateMachine, ATypeOnceDeclaredStrictStaysSoAndOnlyItsCurrentAttemptCounts) {
  Journal journal;
  journal.write(RecordType::Node, NodeRecord{1, "w1", {"echo", "hash"}, {"echo"}});
  journal.node(2, "w2", {"echo"});
  EXPECT_TRUE(journal.state.is_strict(journal.state.types().find("echo")));
  EXPECT_FALSE(journal.state.is_strict(journal.state.types().find("hash")));
  journal.open_session(1);
  const TaskId task = journal.submit(1, 1).task;
  journal.result(task, "without a lease");
  EXPECT_EQ(journal.count(ChangeKind::Stale), 1u);
  journal.lease(task, 1, 1);
  journal.requeue(task, 1, RequeueReason::LeaseExpired, false);
  journal.result(task, "of a lease that is over");
  EXPECT_EQ(journal.count(ChangeKind::Stale), 1u);
  journal.lease(task, 2, 2);
  journal.result(task, "of the attempt before", Outcome::Completed, 1, 1);
  EXPECT_EQ(journal.count(ChangeKind::Stale), 1u);
  journal.result(task, "current", Outcome::Completed, 2, 2);
  EXPECT_EQ(as_text(journal.info(task).result), "current");
}

TEST(StateMachine, NothingOfATaskIsLeftWhenEverybodyIsDoneWithIt) {
  StateLimits limits = small_limits();
  limits.finished_kept = 0;
  Journal journal(limits);
  journal.node(1, "w1");
  const std::size_t before = journal.state.usage().memory_used;
  for (unsigned round = 1; round <= 20; ++round) {
    journal.open_session(round);
    for (std::uint64_t seq = 1; seq <= 20; ++seq) {
      TaskOptions options = seq % 3 == 0 ? with_key("k" + std::to_string(seq % 2)) : TaskOptions{};
      options.deadline = milliseconds(seq % 5);
      const TaskId task = journal.submit(round, seq, options, 1, "echo", std::string(seq * 100, 'w')).task;
      journal.lease(task);
      journal.result(task, std::string(seq * 200, 'r'), seq % 4 == 0 ? Outcome::Failed : Outcome::Completed);
    }
    journal.close_session(round);
    journal.now = journal.now + milliseconds(6000);
  }
  for (int i = 0; i < 200; ++i) journal.renew_session(99);
  const StateTables& tables = journal.state.tables();
  EXPECT_EQ(tables.tasks.size() + tables.rares.size() + tables.echoes.size() + tables.refs.size(), 0u);
  EXPECT_EQ(tables.held_bytes + tables.kept_bytes + tables.window_bytes, 0u);
  EXPECT_LT(journal.state.usage().memory_used, before + (3u << 20)) << "spare pages only";
}

TEST(StateMachineDeathTest, StopsAtARecordItCannotRead) {
  Journal journal;
  Changes changes;
  EXPECT_DEATH(
      journal.state.apply(LogIndex{1}, journal.now, RecordType::Submit, as_bytes("rubbish"), changes),
      "payload");
  journal.open_session(1);
  EXPECT_DEATH(journal.state.apply(LogIndex{1}, journal.now, RecordType::Cancel, {}, changes), "index");
}

}  // namespace
}  // namespace cidbus
