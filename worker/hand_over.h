// Before a worker leaves for good: every block that only it holds goes to another node that stores blocks.
//
// What another node holds that is leaving, too, is moved as if nobody had it: of two that leave at the same
// moment each would take the other's copy for enough. Once all is moved that was there at first, no more is
// taken, and what came meanwhile is moved as well.
//
// Thread rule: one thread, which it occupies; the store is shared with the running worker. Limits: a batch of
// blocks in memory, and 40 bytes for each block of the store.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "shared/exchange/exchange_server.h"
#include "shared/io/bus_link.h"
#include "shared/store/block_store.h"

namespace cidbus {

// How many were copied; every block of the store stands on another node then, and the exchange takes none any
// more. With a fault it goes on taking them. TryAgain when no other node
// stores blocks or none has room, Unavailable without a leader, or once `stopped` says true.
Result<std::uint64_t> hand_over_blocks(SocketContext& context, const NodeIdentity& worker,
                                       const std::vector<std::string>& brokers, BlockStore& store,
                                       ExchangeServer& exchange, const std::function<bool()>& stopped);

}  // namespace cidbus
