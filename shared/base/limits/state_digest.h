// Comparing the states of a group's brokers while they run (CONSENSUS R7). What limits are for: README.md,
// here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cidbus::limits {

inline constexpr std::uint64_t digest_every = 64;  // records: after each so many-th a digest is remembered
inline constexpr std::size_t digests_kept = 1024;  // the newest: what a broker has passed between two BEATs

}  // namespace cidbus::limits
