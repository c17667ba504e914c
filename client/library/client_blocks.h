// The cluster's blocks, as one who stores none himself reads and adds them: the command and the library.
//
// Invariants
//  1. Nothing is sent before it is used; whoever finds no broker then is told within `contact`.
//  2. What was put is durable when flush() says Ok; Ok or not, it ends the lot.
//
// Thread rule: one thread at a time; the cache may be shared. Limits: the cache's, and NetworkBlocks'.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shared/content/block.h"
#include "shared/io/socket.h"
#include "shared/store/memory_store.h"

namespace cidbus {

inline constexpr ByteCount client_cache_bytes = 64 << 20;  // of blocks read, kept for the next reader

// Blocks to read and to add.
class BlockAccess : public BlockSource, public BlockSink {
 public:
  virtual Status flush() = 0;
};

struct ClientBlocksOptions {
  std::string cluster;
  std::vector<std::string> brokers;  // HOST:PORT
  std::uint32_t copies = 2;          // of what is added; fewer when fewer nodes store
  Duration contact = std::chrono::seconds(5);
  Duration patience = std::chrono::seconds(30);  // while nothing moves
  std::optional<Monotonic> deadline;             // of everything; without one a block is looked for for 30 s
  std::function<bool()> stopped = {};            // once it says true, waiting for blocks ends: Unavailable
};

// REQUIRES: context and cache outlive it; the cache evicts.
std::unique_ptr<BlockAccess> open_client_blocks(SocketContext& context, ClientBlocksOptions options,
                                                MemoryStore& cache);

}  // namespace cidbus
