// Messages on any socket, and batches of records: where each of them stops. What limits are for: README.md,
// here.
#pragma once

#include <cstddef>

namespace cidbus::limits {

inline constexpr std::size_t message_bytes = 8 << 20;  // one message; a larger one is refused
// One frame on any socket; at a larger one the connection is cut, unread (ZMQ_MAXMSGSIZE).
inline constexpr std::size_t socket_frame_bytes = 2 * message_bytes;
inline constexpr std::size_t items_a_message = 4096;  // items of one list in a message
inline constexpr std::size_t batch_bytes = 1 << 20;   // a batch of records (CONSENSUS R5)
inline constexpr std::size_t batch_records = 4096;    // records in one batch (CONSENSUS R5)

}  // namespace cidbus::limits
