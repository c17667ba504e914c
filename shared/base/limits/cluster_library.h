// The cluster library: where its measurements and its alerts stop. What limits are for: README.md, here.
#pragma once

#include <cstddef>

namespace cidbus::limits {

inline constexpr std::size_t measurements = 100'000;      // of a collector, in memory; the oldest go first
inline constexpr std::size_t measured_metrics = 1'000;    // of a measurement; further ones are not kept
inline constexpr std::size_t alert_notices_kept = 1'000;  // of a monitor: what was raised and resolved

}  // namespace cidbus::limits
