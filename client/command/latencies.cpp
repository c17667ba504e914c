#include "client/command/latencies.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "shared/base/ensure.h"

namespace cidbus {
namespace {

constexpr unsigned fine_bits = 7;  // 128 buckets a power of two
constexpr std::uint64_t fine = std::uint64_t{1} << fine_bits;
constexpr Duration longest_kept = std::chrono::hours(1);

std::size_t bucket_of(std::uint64_t nanoseconds) {
  if (nanoseconds < fine) return nanoseconds;
  const auto shift = static_cast<unsigned>(std::bit_width(nanoseconds)) - 1 - fine_bits;
  return shift * fine + (nanoseconds >> shift);
}

// The longest duration that falls into it.
std::uint64_t top_of(std::size_t bucket) {
  if (bucket < fine) return bucket;
  const std::size_t shift = bucket / fine - 1;
  return ((bucket - shift * fine + 1) << shift) - 1;
}

}  // namespace

void Latencies::add(Duration taken) {
  taken = std::clamp(taken, Duration::zero(), longest_kept);
  const std::size_t bucket = bucket_of(static_cast<std::uint64_t>(taken.count()));
  if (bucket >= counts_.size()) counts_.resize(bucket + 1);
  ++counts_[bucket];
  ++count_;
  longest_ = std::max(longest_, taken);
}

Duration Latencies::percentile(double percent) const {
  ENSURE(percent > 0 && percent <= 100, "percent", percent);
  const auto wanted = static_cast<std::uint64_t>(std::ceil(static_cast<double>(count_) * percent / 100));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < counts_.size(); ++bucket) {
    seen += counts_[bucket];
    if (seen >= wanted && seen > 0) return std::min(Duration(top_of(bucket)), longest_);
  }
  return Duration::zero();
}

}  // namespace cidbus
