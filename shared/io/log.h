// Where a role says what happened: one line a fact, to stderr in production, to a checker in simulation.
//
// Levels: error, somebody must act; warning, something is wrong and was survived; info, a person watching
// wants to know; debug, for who looks for a fault. Quiet by default: warning and above. A log never holds a
// key or a payload.
//
// Thread rule: any thread may call anything. Limits: a line is cut at limits::text_length.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/ids.h"
#include "shared/base/limits/words.h"

namespace cidbus {

enum class LogLevel { Debug, Info, Warning, Error };
inline constexpr std::size_t log_level_count = 4;
std::optional<LogLevel> parse_log_level(std::string_view text);
std::string_view to_text(LogLevel level);

enum class LogFormat { Logfmt, Json };
std::optional<LogFormat> parse_log_format(std::string_view text);

// What a line is about, for programs that read logs; what is 0 is not told.
struct LogFields {
  Epoch epoch = {};
  TaskId task = {};
  std::uint32_t attempt = 0;
  std::string_view trace = {};  // id of the trace that the task belongs to
};

class Log {
 public:
  virtual ~Log() = default;
  virtual void write(LogLevel level, std::string_view line) = 0;
  virtual void write_about(LogLevel level, std::string_view line, const LogFields&) { write(level, line); }
  // Whether lines of this level go anywhere; for who would take trouble to make one.
  [[nodiscard]] virtual bool wants(LogLevel) const { return true; }
  // At run time: one step more, or less, is said. The least that can be said is errors.
  virtual void change_level(int /*steps_louder*/) {}
  // Lines by level, also those that went nowhere.
  [[nodiscard]] virtual std::array<std::uint64_t, log_level_count> counts() const { return {}; }

  void debug(std::string_view line) { write(LogLevel::Debug, line); }
  void info(std::string_view line) { write(LogLevel::Info, line); }
  void warning(std::string_view line) { write(LogLevel::Warning, line); }
  void error(std::string_view line) { write(LogLevel::Error, line); }
  void debug(std::string_view line, const LogFields& about) { write_about(LogLevel::Debug, line, about); }
  void info(std::string_view line, const LogFields& about) { write_about(LogLevel::Info, line, about); }
  void warning(std::string_view line, const LogFields& about) { write_about(LogLevel::Warning, line, about); }
};

struct LogOptions {
  std::string node;
  std::string role = {};
  LogLevel quietest = LogLevel::Warning;
  LogFormat format = LogFormat::Logfmt;
};
// To stderr, a line each: time (RFC 3339, UTC), level, node, role, what it is about, msg; docs/logs.md. A
// line that comes again and again is written once in limits::log_repeat_window, with how often. The level is
// coloured on a terminal without NO_COLOR.
std::unique_ptr<Log> make_stderr_log(LogOptions options);
inline std::unique_ptr<Log> make_stderr_log(std::string node, LogLevel quietest) {
  return make_stderr_log(LogOptions{std::move(node), {}, quietest});
}

}  // namespace cidbus
