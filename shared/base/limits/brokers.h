// Brokers: connections, the feed, the disk, snapshots: where each of them stops. What limits are for:
// README.md, here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cidbus::limits {

inline constexpr std::size_t peers = 20'000;        // connections that have said hello
inline constexpr std::size_t subscriptions = 1000;  // distinct prefixes subscribed to on a feed
inline constexpr std::uint32_t task_events = 5000;  // single task events a second on the feed
// Records that wait for the disk; past it submissions are refused.
inline constexpr std::size_t unsynced_bytes = 64 << 20;
// Work read from a socket in a turn, in the units of broker/frame_work.h; a frame is always read whole.
inline constexpr std::size_t work_a_turn = 4096;
inline constexpr std::size_t frames_held = 10'000;        // that arrive while office is handed over
inline constexpr std::size_t records_a_turn = 4096;       // applied before others get their turn
inline constexpr std::size_t batches_at_disk = 32;        // handed to it and not persisted (CONSENSUS R5)
inline constexpr std::size_t snapshot_rows = 2000;        // rows of a snapshot written in one turn
inline constexpr std::size_t snapshot_slice = 256 << 10;  // bytes of one
inline constexpr std::size_t snapshot_slices = 4;         // slices on their way to the disk

}  // namespace cidbus::limits
