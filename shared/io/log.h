// Where a role says what happened: one line a fact, to stderr in production, to a checker in simulation.
//
// Levels: error, somebody must act; warning, something is wrong and was survived; info, a person watching
// wants to know; debug, for who looks for a fault. Quiet by default: warning and above. A log never holds a
// key or a payload.
//
// Thread rule: write() may be called from any thread. Limits: a line is cut at limits::text_length.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/limits/words.h"

namespace cidbus {

enum class LogLevel { Debug, Info, Warning, Error };
std::optional<LogLevel> parse_log_level(std::string_view text);

class Log {
 public:
  virtual ~Log() = default;
  virtual void write(LogLevel level, std::string_view line) = 0;

  void debug(std::string_view line) { write(LogLevel::Debug, line); }
  void info(std::string_view line) { write(LogLevel::Info, line); }
  void warning(std::string_view line) { write(LogLevel::Warning, line); }
  void error(std::string_view line) { write(LogLevel::Error, line); }
};

// To stderr: time (RFC 3339, UTC), level, node, line. Coloured only on a terminal and without NO_COLOR.
std::unique_ptr<Log> make_stderr_log(std::string node, LogLevel quietest);

}  // namespace cidbus
