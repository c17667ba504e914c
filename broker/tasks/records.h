// The records of the task state: one command each, as the leader wrote it and every broker applies it.
//
// The journal's batch carries type, time and length of each; here is what lies between. Every number is
// little-endian. A payload begins with its version, so that later fields (dependencies, fairness, memo) can
// follow without a new type; older versions are read for ever.
//
//   payload        := version:u8 body                      version is 1, and 2 for NODE and where it says so
//   text8          := length:u8 bytes                      names
//   text           := length:u32 bytes
//   OPEN           := epoch:u64 leader:text8 endpoint:text
//   HANDOVER       := successor:text8             the leader gives its office to this broker
//   NODE           := number:u16 name:text8 count:u16 text8* count:u16 text8*
//                     a worker, the types it offers, and the strict ones of them (not in version 1)
//   SESSION_OPEN   := session:16
//   SESSION_RENEW  := session:16
//   SESSION_CLOSE  := session:16
//   SUBMIT         := session:16 seq:u64 low_water:u64 present:u8 priority:u8 tries:u8 type:text8
//                     [delay:varint] [deadline:varint] [time_limit:varint] [backoff:varint] [key:text]
//                     work:the rest                        milliseconds; bits of `present` in this order
//   LEASE          := task:u64 run:u8 attempt:u32 node:u16
//   REQUEUE        := task:u64 run:u8 attempt:u32 reason:u8 costs_try:u8 delay:varint error:text
//                     [log:text]                           in version 2, which is written where there is one
//   RESULT         := task:u64 run:u8 attempt:u32 outcome:u8 node:u16 elapsed:varint error:text [log:text]
//                     result:the rest                      likewise
//   CANCEL         := task:u64
//   EXPIRE         := task:u64
//   RESULT_ACK     := session:16 cursor:u64
//   NAME           := cid:text8 name:text8 count:u8 (key:text8 value:text8)*
//   PROPOSE, VOTE, DECIDE                        broker/cluster/config_records.h
//
// Thread rule: values; views live as long as the payload. Limits: base/limits/; checked before a record is
// made.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/core/task.h"

namespace cidbus {

// The numbers are on disk. 3 to 15 are for the group itself, 48 and above for content and configuration.
enum class RecordType : std::uint8_t {
  Open = 1,
  Node = 2,
  Handover = 3,
  SessionOpen = 16,
  SessionRenew = 17,
  SessionClose = 18,
  Submit = 19,
  Lease = 20,
  Requeue = 21,
  Result = 22,
  Cancel = 23,
  Expire = 24,
  ResultAck = 25,
  Name = 48,
  Propose = 49,
  Vote = 50,
  Decide = 51,
};
std::string_view to_text(RecordType type);

struct OpenRecord {
  Epoch epoch;
  std::string_view leader;
  std::string_view endpoint;  // host:port of the leader's bus
};
struct HandoverRecord {
  std::string_view successor;
};
struct NodeRecord {
  std::uint16_t number = 0;  // one more than the last, or the number this name has
  std::string_view name;
  std::vector<std::string_view> types;              // what the worker offers
  std::vector<std::string_view> strict_types = {};  // of these: never to run twice at once
};
struct SessionRecord {  // SESSION_OPEN, SESSION_RENEW, SESSION_CLOSE
  SessionId session;
};
struct SubmitRecord {
  SessionId session;
  std::uint64_t seq = 0;
  std::uint64_t low_water = 0;
  std::string_view type;
  TaskOptions options;
  ByteView work;
};
struct LeaseRecord {
  TaskId task;
  std::uint8_t run = 0;
  std::uint32_t attempt = 0;
  std::uint16_t node = 0;
};
enum class RequeueReason : std::uint8_t {
  Retry,         // the worker asked for another try
  TimedOut,      // the attempt's time limit
  HandedBack,    // the worker goes, or stopped it
  WorkerLost,    // silent or disconnected (W3)
  LeaseExpired,  // not renewed in time (W3)
  NotRunning,    // the worker came back without it (W4)
};
std::string_view to_text(RequeueReason reason);
// Whether the attempt ended with its worker, by no deed of the task that anyone saw.
constexpr bool is_lost(RequeueReason reason) { return reason >= RequeueReason::WorkerLost; }

struct RequeueRecord {
  TaskId task;
  std::uint8_t run = 0;
  std::uint32_t attempt = 0;
  RequeueReason reason = RequeueReason::Retry;
  bool costs_try = false;
  std::chrono::milliseconds delay{0};  // not before this long after the record's time
  std::string_view error;
  ByteView log = {};  // the end of what the attempt said (shared/core/attempt_history.h)
};
struct ResultRecord {
  TaskId task;
  std::uint8_t run = 0;
  std::uint32_t attempt = 0;
  Outcome outcome = Outcome::Completed;  // anything else makes the task `failed`
  std::uint16_t node = 0;
  std::chrono::microseconds elapsed{0};
  std::string_view error;
  ByteView result;
  ByteView log = {};
};
struct TaskRecord {  // CANCEL, EXPIRE
  TaskId task;
};
struct ResultAckRecord {
  SessionId session;
  std::uint64_t cursor = 0;
};

struct NameRecord {
  std::string_view name;
  ByteView cid;  // binary; empty: the name is taken off
  std::vector<std::pair<std::string_view, std::string_view>> tags;
};

// Appends the payload to `out`.
void encode(const OpenRecord& record, Bytes& out);
void encode(const HandoverRecord& record, Bytes& out);
void encode(const NodeRecord& record, Bytes& out);
void encode(const SessionRecord& record, Bytes& out);
void encode(const SubmitRecord& record, Bytes& out);
void encode(const LeaseRecord& record, Bytes& out);
void encode(const RequeueRecord& record, Bytes& out);
void encode(const ResultRecord& record, Bytes& out);
void encode(const TaskRecord& record, Bytes& out);
void encode(const ResultAckRecord& record, Bytes& out);
void encode(const NameRecord& record, Bytes& out);

// False when the payload is not exactly one record of this kind and version.
[[nodiscard]] bool decode(ByteView payload, OpenRecord& out);
[[nodiscard]] bool decode(ByteView payload, HandoverRecord& out);
[[nodiscard]] bool decode(ByteView payload, NodeRecord& out);
[[nodiscard]] bool decode(ByteView payload, SessionRecord& out);
[[nodiscard]] bool decode(ByteView payload, SubmitRecord& out);
[[nodiscard]] bool decode(ByteView payload, LeaseRecord& out);
[[nodiscard]] bool decode(ByteView payload, RequeueRecord& out);
[[nodiscard]] bool decode(ByteView payload, ResultRecord& out);
[[nodiscard]] bool decode(ByteView payload, TaskRecord& out);
[[nodiscard]] bool decode(ByteView payload, ResultAckRecord& out);
[[nodiscard]] bool decode(ByteView payload, NameRecord& out);

}  // namespace cidbus
