// A log line as it is written, and which lines are left out because they repeat.
//
// Thread rule: functions of their arguments; LogRepeats: one owner. Limits: limits/logs.h.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/limits/logs.h"
#include "shared/base/time.h"
#include "shared/io/log.h"

namespace cidbus {

// Everything behind time and level: `node=b1 role=master epoch=3 msg="..."`, or `"node":"b1",...` without
// braces. `repeated`: how often it was left out before; 0 is not told.
std::string log_fields(LogFormat format, const LogOptions& who, const LogFields& about, std::string_view line,
                       std::uint64_t repeated);

class LogRepeats {
 public:
  struct Repeated {
    LogLevel level = LogLevel::Debug;
    std::string line;
    LogFields about;  // its trace is empty, and stands in `trace`
    std::string trace;
    std::uint64_t times = 0;  // left out

    [[nodiscard]] LogFields fields() const { return {about.epoch, about.task, about.attempt, trace}; }
  };
  // Whether it is to be written: not when the same was, about the same, within the window.
  bool take(Monotonic now, LogLevel level, std::string_view line, const LogFields& about = {});
  // Lines whose window is over and of which some were left out, each once; call before take().
  std::vector<Repeated> take_due(Monotonic now);

 private:
  struct Recent {
    Repeated what;
    Monotonic since{};
  };
  std::vector<Recent> recent_;       // oldest first; limits::log_lines_remembered
  std::vector<Repeated> forgotten_;  // of which some were left out, pushed out by newer ones
};

}  // namespace cidbus
