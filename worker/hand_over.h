// Before a worker leaves for good: every block that only it holds goes to another node that stores blocks.
//
// Thread rule: one thread, which it occupies; the store is shared with the running worker. Limits: a batch of
// blocks in memory, and 40 bytes for each block of the store.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "shared/io/bus_link.h"
#include "shared/store/block_store.h"

namespace cidbus {

// How many were copied; every block of the store stands on another node then. TryAgain when no other node
// stores blocks or none has room, Unavailable without a leader, or once `stopped` says true.
Result<std::uint64_t> hand_over_blocks(SocketContext& context, const NodeIdentity& worker,
                                       const std::vector<std::string>& brokers, BlockStore& store,
                                       const std::function<bool()>& stopped);

}  // namespace cidbus
