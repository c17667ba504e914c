// Bounds of the client library, in one process.
#pragma once

#include <cstddef>

namespace cidbus::limits {

inline constexpr std::size_t submitted_bytes = 64 << 20;       // of submissions that have not ended
inline constexpr std::size_t submission_overhead_bytes = 512;  // counted with each, until it has ended
inline constexpr std::size_t idle_connections = 4;             // of each kind, kept for the next call

}  // namespace cidbus::limits
