// The clocks of one simulated machine: a monotonic one that may run fast or slow, and the time of day, which
// may also be set to anything.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include "tests/sim/base/timeline.h"

namespace cidbus::sim {

class LocalClock {
 public:
  explicit LocalClock(const Timeline& timeline)
      : timeline_(timeline), zero_(timeline.now().monotonic), shown_(zero_) {}

  [[nodiscard]] Monotonic monotonic() const {
    const Duration passed = timeline_.now().monotonic - zero_;
    return shown_ + passed + passed / 1000 * per_mille_;
  }
  [[nodiscard]] Now now() const {
    return {monotonic(), {timeline_.now().wall.milliseconds + wall_offset_.count()}};
  }
  // When, on the timeline, this clock will show `local`; now for what is past.
  [[nodiscard]] Monotonic when(Monotonic local) const {
    const Duration left = std::max(local - monotonic(), Duration::zero());
    return timeline_.now().monotonic + (left - left * per_mille_ / 1000);
  }

  // It runs so many thousandths faster.
  void set_rate(int per_mille) {
    shown_ = monotonic();
    zero_ = timeline_.now().monotonic;
    per_mille_ = per_mille;
  }
  void set_wall_offset(std::chrono::milliseconds offset) { wall_offset_ = offset; }

 private:
  const Timeline& timeline_;
  Monotonic zero_;   // on the timeline, when the rate was last changed
  Monotonic shown_;  // what it showed then
  int per_mille_ = 0;
  std::chrono::milliseconds wall_offset_{0};
};

}  // namespace cidbus::sim
