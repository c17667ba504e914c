// What a task is, in the words every room shares: its states, what is asked, what comes back.
//
// Values with views (string_view, ByteView) live as long as the frame or buffer they were decoded from:
// whoever keeps one copies it. The scheduling fields of a task stand apart from its `work`: the broker reads
// the former and carries the latter, unread, from the client through the journal to the worker.
//
// Thread rule: values. Limits: limits/tasks.h; checked in shared/wire.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/base/ids.h"
#include "shared/base/time.h"

namespace cidbus {

// As users see it (DESIGN section 6). The first three are open, the others final.
enum class TaskState : std::uint8_t { Pending, Assigned, Processing, Completed, Failed, Cancelled, Timeout };
inline constexpr std::size_t task_state_count = 7;

constexpr bool is_final(TaskState state) { return state >= TaskState::Completed; }
std::string_view to_text(TaskState state);
std::optional<TaskState> parse_task_state(std::string_view text);

inline constexpr std::uint8_t default_priority = 5;  // 0 to 9, 9 first
inline constexpr std::uint8_t default_tries = 4;     // one try and three retries

// What the broker reads of a submission. A zero duration means: none.
struct TaskOptions {
  std::uint8_t priority = default_priority;
  std::uint8_t tries = default_tries;       // attempts in all, at least 1
  std::chrono::milliseconds delay{0};       // not before this long after it was accepted
  std::chrono::milliseconds deadline{0};    // final `timeout` this long after it was accepted
  std::chrono::milliseconds time_limit{0};  // of one attempt
  std::chrono::milliseconds backoff{1000};  // before the first retry; doubles with each, jitter by the broker
  std::string_view key;                     // idempotency key; empty for none
};

// One attempt at one run of one task; with the epoch, the fencing token (CONSENSUS W2).
struct AttemptId {
  TaskId task;
  std::uint8_t run = 0;       // a plain task has the one run 0
  std::uint32_t attempt = 0;  // 1 for the first
  Epoch epoch;                // of the leader that handed it out
  friend constexpr auto operator<=>(const AttemptId&, const AttemptId&) = default;
};

// How an attempt ended, as its worker tells it.
enum class Outcome : std::uint8_t {
  Completed,
  Failed,      // the same input fails again: no further try
  Retry,       // may succeed elsewhere or later: another try if one is left
  TimedOut,    // the attempt's time limit: another try if one is left
  Cancelled,   // it was told to stop
  HandedBack,  // the worker goes; costs no try
};
inline constexpr std::size_t outcome_count = static_cast<std::size_t>(Outcome::HandedBack) + 1;
std::string_view to_text(Outcome outcome);

// A task's inputs and parameters: the `work` bytes once decoded (wire/work.h).
struct Work {
  std::vector<ByteView> inputs;  // binary CIDs, or the text the user gave
  std::vector<std::pair<std::string_view, std::string_view>> parameters;  // in the user's order
  std::string_view traceparent = {};  // trace_context.h; empty: it belongs to no trace
};

// A completed task's answer: the `result` bytes once decoded (wire/work.h).
struct TaskResult {
  std::vector<ByteView> cids;  // binary CIDs
  std::vector<std::pair<std::string_view, std::string_view>> values;
};

// Everything that can be told of a task.
struct TaskInfo {
  TaskId task;
  std::string_view type;
  TaskState state = TaskState::Pending;
  std::uint32_t attempts = 0;
  std::uint8_t priority = default_priority;
  ByteView work;
  ByteView result;         // empty unless completed
  std::string_view error;  // empty unless an attempt failed
  WallTime submitted_at;
  WallTime started_at;
  WallTime finished_at;
  std::string_view worker;  // of the last attempt; empty before the first
  std::string_view key;
  ByteView history = {};  // of its attempts (attempt_history.h); only where that was asked for
};

}  // namespace cidbus
