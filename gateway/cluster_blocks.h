// The cluster's blocks for one thread of the gateway: found through the leader's index, fetched from the
// nodes that hold them, kept in the cache that all threads share.
//
// What no node is said to hold is NotFound after `unknown_time`, since an announcement may be on
// its way; for a block with holders it is looked until `fetch_time`, then TimedOut.
//
// Thread rule: made and used in one thread. Limits: NetworkBlocks'.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "shared/base/limits/http.h"
#include "shared/content/block.h"
#include "shared/io/bus_link.h"
#include "shared/store/memory_store.h"

namespace cidbus {

struct ClusterBlocksOptions {
  NodeIdentity gateway;
  std::vector<std::string> brokers;
  Duration fetch_time = limits::http_fetch_time;
  Duration unknown_time = limits::unknown_block_time;
};

// `number` tells the threads apart: each is a client of the bus with a name of its own. REQUIRES: context,
// stop and cache outlive it. Once `stop` is true, searches end within a second.
std::unique_ptr<BlockSource> make_cluster_blocks(SocketContext& context, const ClusterBlocksOptions& options,
                                                 std::size_t number, const std::atomic<bool>& stop,
                                                 MemoryStore& cache);

}  // namespace cidbus
