// A group of brokers: what one reads and sends for another: where each of them stops. What limits are for:
// README.md, here.
#pragma once

#include <cstddef>

namespace cidbus::limits {

inline constexpr unsigned disk_readers = 8;               // who read from one broker's disk at once
inline constexpr std::size_t disk_read_bytes = 1 << 20;   // given in one piece; a batch may be as large
inline constexpr std::size_t snapshot_piece = 256 << 10;  // bytes of a snapshot in one message

inline constexpr int mesh_control_queue = 1000;  // messages to one broker not yet on the wire
inline constexpr int mesh_bulk_queue = 64;       // the same, of those that carry batches

}  // namespace cidbus::limits
