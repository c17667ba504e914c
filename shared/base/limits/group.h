// A group of brokers: what one reads and sends for another, and what it keeps in memory for it: where each of
// them stops. What limits are for: README.md, here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cidbus::limits {

inline constexpr std::size_t brokers = 5;            // voting brokers of a group
inline constexpr std::int32_t priority_most = 1000;  // of a broker; the least is 0

inline constexpr std::size_t append_batches = 32;     // batches in one message (CONSENSUS R5)
inline constexpr std::size_t apply_batches = 16'384;  // read at once to be applied, of append_bytes at most
inline constexpr std::size_t append_bytes = 4 << 20;  // of them, together; one batch always fits
inline constexpr std::size_t window_batches = 32;     // sent to a follower, not acknowledged (R5)
inline constexpr std::size_t window_bytes_in_flight = 32 << 20;  // the same, in bytes
inline constexpr std::size_t log_ends = 8192;                    // newest batches whose ends are in memory
inline constexpr std::size_t log_cached_bytes = 32 << 20;        // of the newest batches kept in memory
inline constexpr std::size_t holes = 4096;                       // damaged batches asked for at once

inline constexpr std::size_t holes_asked = 64;  // what a broker asks for itself

inline constexpr unsigned disk_readers = 8;               // who read from one broker's disk at once
inline constexpr std::size_t disk_read_bytes = 1 << 20;   // given in one piece; a batch may be as large
inline constexpr std::size_t snapshot_piece = 256 << 10;  // bytes of a snapshot in one message

inline constexpr int mesh_control_queue = 1000;  // messages to one broker not yet on the wire
inline constexpr int mesh_bulk_queue = 64;       // the same, of those that carry batches

}  // namespace cidbus::limits
