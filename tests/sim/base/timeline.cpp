#include "tests/sim/base/timeline.h"

#include <algorithm>

#include "shared/base/ids.h"

namespace cidbus::sim {

void Timeline::at(Monotonic when, Event event) {
  waiting_.push({std::max(when, now_.monotonic), sequence_++, std::move(event)});
}

bool Timeline::step() {
  if (waiting_.empty()) return false;
  Entry entry = std::move(const_cast<Entry&>(waiting_.top()));
  waiting_.pop();
  const Duration passed = entry.when - now_.monotonic;
  now_.monotonic = entry.when;
  const auto since_start = entry.when - Monotonic(std::chrono::hours(1));
  now_.wall.milliseconds =
      1'700'000'000'000 + std::chrono::duration_cast<std::chrono::milliseconds>(since_start).count();
  trace(static_cast<std::uint64_t>(passed.count()));
  ++steps_;
  entry.event();
  return true;
}

void Timeline::trace(std::uint64_t value) { trace_ = mix_bits(trace_ ^ value) + 0x9e3779b97f4a7c15ULL; }

}  // namespace cidbus::sim
