// How long many things took, in bounded memory: counts by duration, each bucket less than 1 % wide.
//
// Durations below 128 ns have a bucket each; above, every power of two is cut into 128.
//
// Thread rule: one owner. Limits: durations up to an hour, longer ones count as an hour; 35 KiB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "shared/base/time.h"

namespace cidbus {

class Latencies {
 public:
  void add(Duration taken);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] Duration longest() const { return longest_; }
  // Below which so many of a hundred were, to a hundredth of itself; zero of none. REQUIRES: 0 < percent <=
  // 100.
  [[nodiscard]] Duration percentile(double percent) const;

 private:
  std::vector<std::uint64_t> counts_;  // by bucket, as far as one was needed
  std::uint64_t count_ = 0;
  Duration longest_{};
};

}  // namespace cidbus
