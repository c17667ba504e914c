// The two times of the project, as types that cannot be mixed.
//
// Monotonic: for timers, leases and timeouts; each process has its own zero. WallTime: milliseconds since the
// Unix epoch, in records and in what people read. Pure rooms never ask for either: `now` is an argument.
//
// Thread rule: values. Limits: none.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace cidbus {

using Duration = std::chrono::nanoseconds;

// A clock type without now(): nobody can read it by accident.
struct MonotonicClock {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};
using Monotonic = MonotonicClock::time_point;

// Milliseconds since 1970-01-01 UTC. 0 means "not yet" or "none".
struct WallTime {
  std::int64_t milliseconds = 0;
  friend constexpr auto operator<=>(const WallTime&, const WallTime&) = default;
};

constexpr WallTime operator+(WallTime time, std::chrono::milliseconds delta) {
  return {time.milliseconds + delta.count()};
}
constexpr std::chrono::milliseconds operator-(WallTime later, WallTime earlier) {
  return std::chrono::milliseconds(later.milliseconds - earlier.milliseconds);
}

// Both clocks at one instant; what a turn of a driver is given.
struct Now {
  Monotonic monotonic;
  WallTime wall;
};

// RFC 3339 in UTC with milliseconds: 2026-11-23T12:31:05.042Z. The empty string for 0.
std::string to_rfc3339(WallTime time);

}  // namespace cidbus
