// What clients say and are told: sessions, submissions and results (CONSENSUS section 10), and questions.
//
// Thread rule: values. Limits and invariants: message.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/core/node.h"
#include "shared/core/refusal.h"
#include "shared/core/task.h"

namespace cidbus {

struct SubmitItem {
  std::uint64_t seq = 0;  // the session's own number of this submission, from 1
  std::string_view type;
  TaskOptions options;
  ByteView work;
};
struct Submit {
  SessionId session;
  std::uint64_t low_water = 0;  // every seq below it has been answered; its memory may go
  std::vector<SubmitItem> items;
};
struct AcceptedItem {
  std::uint64_t seq = 0;
  TaskId task;
  bool duplicate = false;
};
enum class Durability : std::uint8_t { Memory, Disk, Quorum };
std::string_view to_text(Durability durability);
struct Accepted {
  SessionId session;
  Durability durability = Durability::Disk;
  std::vector<AcceptedItem> items;
};
struct RejectedItem {
  std::uint64_t seq = 0;
  Refusal why = Refusal::BadMessage;
  std::string_view reason;
  std::chrono::milliseconds retry_after{0};
};
struct Rejected {
  SessionId session;
  std::vector<RejectedItem> items;
};
// Says hello for a session after a reconnect: the broker pushes every result above `cursor` again.
struct SessionResume {
  SessionId session;
  std::uint64_t cursor = 0;
};
struct SessionClose {
  SessionId session;
};
struct ResultItem {
  std::uint64_t rseq = 0;  // the session's own number of this result, from 1, without gaps
  std::uint64_t seq = 0;   // of the submission it answers
  TaskInfo info;
};
struct Results {
  SessionId session;
  std::vector<ResultItem> items;
};
struct ResultAck {
  SessionId session;
  std::uint64_t cursor = 0;  // every result up to here has been delivered
};

// Questions: any node may ask; the answer carries the asker's own number.

struct TaskQuery {
  // Wait is answered task by task, as each is final; Logs as Show, with the history of each.
  enum class Kind : std::uint8_t { Show, Wait, Logs };
  RequestId request;
  Kind kind = Kind::Show;
  std::vector<TaskId> tasks;
};
struct TaskList {
  RequestId request;
  std::optional<TaskState> state;
  std::string_view type;  // empty for any
  std::uint32_t limit = 100;
  TaskId before;  // only tasks older than this one; 0 for the newest
};
struct TaskInfos {
  RequestId request;
  std::vector<TaskInfo> tasks;  // newest first for a list; in the order asked for Show
  std::vector<TaskId> unknown;  // asked for, not known
  bool more = false;            // a list was cut at its limit
};
struct Cancel {
  RequestId request;
  std::vector<TaskId> tasks;
};
enum class CancelAnswer : std::uint8_t { Cancelled, AlreadyFinal, Unknown };
struct CancelAnswers {
  RequestId request;
  std::vector<std::pair<TaskId, CancelAnswer>> answers;
};
struct SnapshotRequest {
  RequestId request;
};
// What became of members in this office; of an office before it only what its members still say.
struct MemberHistoryRequest {
  RequestId request;
  std::uint64_t after = 0;  // only changes with a higher number
};
struct MemberHistory {
  RequestId request;
  Epoch epoch;                        // of the office: numbers begin anew with each
  std::vector<MemberChange> changes;  // oldest first
  bool more = false;                  // ask again after the last of these
};
// The cluster at one moment; also what a late subscriber of the feed starts from.
struct Snapshot {
  RequestId request;
  std::string_view cluster;
  std::string_view leader;
  Durability durability = Durability::Disk;
  LogIndex applied;  // feed events with a journal index at or below this are contained
  std::vector<BrokerInfo> brokers;
  std::vector<Member> members;
  std::vector<std::uint64_t> tasks_by_state;  // task_state_count numbers
  std::uint64_t blocks_indexed = 0;
};

}  // namespace cidbus
