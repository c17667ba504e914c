// What applying records changed, for the leader's own part: in order, flat, without a view into anything.
//
// Handles are those of the state right after the change; a task that was finished and forgotten by a later
// record of the same turn is told apart by its id (StateMachine::is).
//
// Thread rule: values. Limits: a few changes a record.
#pragma once

#include <cstdint>
#include <vector>

#include "broker/tasks/slots.h"

namespace cidbus {

enum class ChangeKind : std::uint8_t {
  Accepted,  // submission (session, number = seq) is task; flag: it was there already
  Expired,   // submission (sessions[session], number = seq) came after its session had forgotten it;
             // id is that of the record
  Queued,    // task became pending: new, or flag: again after an attempt
  Leased,    // task is with the worker its slot names
  Finished,  // task is final, as `state` says
  Stale,     // a result came for a task that is final or forgotten, or of a strict attempt that has lost its
             // lease (number = the task's id)
  ResultReady,    // session has one more result to push
  Acknowledged,   // session's results up to number are acknowledged or out of time
  SessionOpened,  // session
  SessionClosed,  // session, gone or being cleared away
  TypeAdded,      // number is a task type's number
  Proposed,       // number is a proposal's id; flag: it was there already
  Voted,          // likewise; flag: the vote changed nothing
  Decided,        // likewise; flag: it is in force from here on
};

struct Change {
  ChangeKind kind = ChangeKind::Accepted;
  bool flag = false;
  TaskHandle task = 0;
  SessionHandle session = 0;
  TaskId id{};
  std::uint64_t number = 0;
  TaskState state = TaskState::Pending;  // of Finished: which
};

struct Changes {
  LogIndex applied;        // of the last record
  bool of_config = false;  // something was proposed, voted or decided
  std::vector<Change> list;
  std::vector<SessionId> sessions;  // ids that no handle stands for

  void clear() {
    of_config = false;
    list.clear();
    sessions.clear();
  }
};

}  // namespace cidbus
