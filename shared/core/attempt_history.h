// What is kept of a task's attempts: how each ended, where, and the end of what it said.
//
// Two layouts, one within the other. A worker writes a log; the broker puts it, unread, behind what it knows
// of the attempt, and keeps the whole as bytes with the task; who asks reads both.
//
//   log     := ended:text output:text errors:text            text := length:u32 bytes
//   history := (attempt:u32 started:i64 ended:i64 how:text worker:text error:text log:text)*     oldest first
//
// An attempt that ended well and said nothing is not kept: it would cost every task what only a few need.
//
// Thread rule: functions of their arguments; views live as long as what was decoded.
// Limits: limits::log_bytes, limits::attempts_logged; what is longer loses its beginning, what is more its
// oldest.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/base/time.h"

namespace cidbus {

struct AttemptLog {
  std::string_view ended;   // "exited with 3"; empty for a task type that is no program
  std::string_view output;  // the end of standard output
  std::string_view errors;  // the end of standard error
};
// Empty when there is nothing to say.
Bytes encode_log(const AttemptLog& log);
std::optional<AttemptLog> decode_log(ByteView bytes);

struct PastAttempt {
  std::uint32_t attempt = 0;  // 1 for the first
  WallTime started;           // 0 when that is not known
  WallTime ended;
  std::string_view how;     // "completed", "failed", "retry", "worker lost", ...
  std::string_view worker;  // empty when that is not known
  std::string_view error;
  ByteView log;  // as encode_log() made it; empty for none
};
// `history` and this attempt, without the oldest where there are too many.
Bytes add_attempt(ByteView history, const PastAttempt& attempt);
// Nothing when it is damaged.
std::optional<std::vector<PastAttempt>> decode_history(ByteView bytes);

}  // namespace cidbus
