#include "shared/core/attempt_history.h"

#include <algorithm>

#include "shared/base/limits/tasks.h"

namespace cidbus {
namespace {

PastAttempt read_attempt(ByteReader& reader) {
  PastAttempt attempt;
  attempt.attempt = reader.number<std::uint32_t>();
  attempt.started.milliseconds = reader.number<std::int64_t>();
  attempt.ended.milliseconds = reader.number<std::int64_t>();
  attempt.how = reader.sized_text();
  attempt.worker = reader.sized_text();
  attempt.error = reader.sized_text();
  attempt.log = reader.sized();
  return attempt;
}

}  // namespace

Bytes encode_log(const AttemptLog& log) {
  Bytes bytes;
  if (log.ended.empty() && log.output.empty() && log.errors.empty()) return bytes;
  constexpr std::size_t around = 3 * sizeof(std::uint32_t);
  constexpr std::size_t line = 128;  // how it ended is one
  constexpr std::size_t room = (limits::log_bytes - around - line) / 2;
  ByteWriter writer(bytes);
  writer.sized(log.ended.substr(0, line));
  for (const std::string_view text : {log.output, log.errors}) {
    writer.sized(text.substr(text.size() - std::min(text.size(), room)));
  }
  return bytes;
}

std::optional<AttemptLog> decode_log(ByteView bytes) {
  if (bytes.empty()) return AttemptLog{};
  ByteReader reader(bytes);
  const AttemptLog log{reader.sized_text(), reader.sized_text(), reader.sized_text()};
  return reader.complete() ? std::optional(log) : std::nullopt;
}

Bytes add_attempt(ByteView history, const PastAttempt& attempt) {
  std::size_t count = 0;
  for (ByteReader reader(history); !reader.at_end() && !reader.failed(); ++count) read_attempt(reader);
  ByteReader kept(history);
  for (; count >= limits::attempts_logged; --count) read_attempt(kept);
  Bytes bytes = to_bytes(kept.rest());
  ByteWriter writer(bytes);
  writer.number(attempt.attempt);
  writer.number(attempt.started.milliseconds);
  writer.number(attempt.ended.milliseconds);
  writer.sized(attempt.how);
  writer.sized(attempt.worker);
  writer.sized(attempt.error);
  writer.sized(attempt.log);
  return bytes;
}

std::optional<std::vector<PastAttempt>> decode_history(ByteView bytes) {
  std::vector<PastAttempt> attempts;
  ByteReader reader(bytes);
  while (!reader.at_end()) {
    attempts.push_back(read_attempt(reader));
    if (reader.failed() || attempts.size() > limits::attempts_logged) return std::nullopt;
  }
  return attempts;
}

}  // namespace cidbus
