// Logs: what a line that repeats may cost. What limits are for: README.md, here.
#pragma once

#include <chrono>
#include <cstddef>

#include "shared/base/time.h"

namespace cidbus::limits {

inline constexpr Duration log_repeat_window =
    std::chrono::seconds(10);                            // the same line is written once in it
inline constexpr std::size_t log_lines_remembered = 32;  // to know what repeats

}  // namespace cidbus::limits
