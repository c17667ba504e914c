// For the tests of this room: writes records as a leader would and applies them, with indexes and times.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "broker/tasks/snapshot.h"
#include "broker/tasks/state_machine.h"

namespace cidbus::testing_tasks {

inline SessionId session_id(unsigned number) {
  SessionId id;
  id.bytes[0] = static_cast<std::uint8_t>(number);
  id.bytes[1] = static_cast<std::uint8_t>(number >> 8);
  id.bytes[15] = 0xaa;
  return id;
}

struct Answer {
  ChangeKind kind = ChangeKind::Accepted;
  bool duplicate = false;
  TaskId task;
};

// A state machine and the journal before it.
class Journal {
 public:
  explicit Journal(const StateLimits& state_limits = {}) : state(state_limits) {}

  template <typename Record>
  const Changes& write(RecordType type, const Record& record) {
    Bytes payload;
    encode(record, payload);
    changes.clear();
    state.apply(LogIndex{++index}, now, type, payload, changes);
    if (check_every_step) state.check_invariants();
    return changes;
  }

  void open_session(unsigned session) { write(RecordType::SessionOpen, SessionRecord{session_id(session)}); }
  void close_session(unsigned session) {
    write(RecordType::SessionClose, SessionRecord{session_id(session)});
  }
  void renew_session(unsigned session) {
    write(RecordType::SessionRenew, SessionRecord{session_id(session)});
  }

  Answer submit(unsigned session, std::uint64_t seq, const TaskOptions& options = {},
                std::uint64_t low_water = 1, std::string_view type = "echo", std::string_view work = "work") {
    write(RecordType::Submit,
          SubmitRecord{session_id(session), seq, low_water, type, options, as_bytes(work)});
    for (const Change& change : changes.list) {
      if (change.kind == ChangeKind::Accepted) return {change.kind, change.flag, change.id};
      if (change.kind == ChangeKind::Expired) return {change.kind, false, {}};
    }
    ADD_FAILURE() << "a submission was not answered";
    return {};
  }
  void node(std::uint16_t number, std::string_view name, std::vector<std::string_view> types = {"echo"}) {
    write(RecordType::Node, NodeRecord{number, name, std::move(types)});
  }
  void lease(TaskId task, std::uint32_t attempt = 1, std::uint16_t worker = 1) {
    write(RecordType::Lease, LeaseRecord{task, 0, attempt, worker});
  }
  void requeue(TaskId task, std::uint32_t attempt, RequeueReason reason = RequeueReason::Retry,
               bool costs_try = true, int delay_ms = 0, std::string_view error = {}) {
    write(RecordType::Requeue,
          RequeueRecord{task, 0, attempt, reason, costs_try, std::chrono::milliseconds(delay_ms), error});
  }
  void result(TaskId task, std::string_view value = "result", Outcome outcome = Outcome::Completed,
              std::uint32_t attempt = 1, std::uint16_t worker = 1) {
    const bool completed = outcome == Outcome::Completed;
    write(RecordType::Result, ResultRecord{task, 0, attempt, outcome, worker, std::chrono::microseconds(7),
                                           completed ? "" : value, as_bytes(completed ? value : "")});
  }
  void cancel(TaskId task) { write(RecordType::Cancel, TaskRecord{task}); }
  void expire(TaskId task) { write(RecordType::Expire, TaskRecord{task}); }
  void ack(unsigned session, std::uint64_t cursor) {
    write(RecordType::ResultAck, ResultAckRecord{session_id(session), cursor});
  }

  // What the session would be pushed now: task ids in the order of rseq.
  [[nodiscard]] std::vector<TaskId> owed(unsigned session) const {
    std::vector<TaskId> tasks;
    const SessionHandle handle = state.find(session_id(session));
    if (handle == 0) return tasks;
    for (ClaimHandle claim = state.session(handle).owed_first; claim != 0; claim = state.claim(claim).next) {
      tasks.push_back(state.task(state.task_of(claim)).id);
    }
    return tasks;
  }
  [[nodiscard]] bool knows(TaskId task) const { return state.find(task) != 0; }
  [[nodiscard]] TaskInfo info(TaskId task) const { return state.info(state.find(task)); }
  [[nodiscard]] std::size_t count(ChangeKind kind) const {
    std::size_t found = 0;
    for (const Change& change : changes.list) found += change.kind == kind ? 1 : 0;
    return found;
  }

  StateMachine state;
  Changes changes;  // of the last record
  std::uint64_t index = 0;
  WallTime now{1'000'000};
  bool check_every_step = true;
};

inline Bytes whole_snapshot(StateMachine& state) {
  Bytes bytes;
  SnapshotWalk walk(state);
  while (!walk.slice(1000, 1 << 20, bytes)) {
  }
  return bytes;
}

}  // namespace cidbus::testing_tasks
