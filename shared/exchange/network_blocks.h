// The blocks of the whole cluster as one source and one sink: for the command, gateway threads and worker
// slots.
//
// Reads look into the node's own store first (if it has one), then into the cache, then ask the network.
// Writes go to the own store and to other nodes, so that flush() means durable as DESIGN section 7 promises.
//
// Invariants
//  1. A block that get() returns was verified: when it was stored here, or when it came.
//  2. After flush() says Ok, every block put since the last flush is synced on min(copies, storing nodes)
//     distinct nodes, this one counted if it has a store.
//
// Thread rule: one thread; own store and cache may be shared with others. Limits: the cache's, and
// BlockClient's.
#pragma once

#include <vector>

#include "shared/base/limits/content.h"
#include "shared/exchange/block_client.h"
#include "shared/store/memory_store.h"

namespace cidbus {

struct NetworkBlocksOptions {
  BlockClientOptions client;                    // keeps_copy is set by whether there is an own store
  Duration timeout = std::chrono::seconds(30);  // of get(): how long a block is looked for
};

class NetworkBlocks final : public BlockSource, public BlockSink {
 public:
  // `own` may be null. REQUIRES: everything referred to outlives it; the cache evicts, and holds at least
  // twice limits::prefetch_bytes.
  NetworkBlocks(SocketContext& context, BlockIndex& index, const NodeIdentity& identity,
                const NetworkBlocksOptions& options, BlockStore* own, MemoryStore& cache);

  // Of the next get().
  void set_timeout(Duration timeout) { timeout_ = timeout; }

  // NotFound, "no node holds CID", once it was looked for until the timeout.
  Result<Block> get(const Cid& cid) override;
  void prefetch(std::span<const Cid> cids) override;

  // Waits while too much is on its way. TryAgain when there is no room, here or elsewhere; a fault is final
  // until flush() has told it too.
  Status put(const Cid& cid, ByteView bytes) override;
  Status flush();

  // Makes every block of the DAG be here and, synced, on another node: those that are not yet are copied.
  // Blocks put in this lot are flushed first. REQUIRES: an own store.
  Status replicate(const Cid& root);

  [[nodiscard]] BlockClientCounts counts() const { return client_.counts(); }

 private:
  Result<std::optional<Block>> get_own(const Cid& cid);
  Status write_own();
  Status replicate_batch(std::span<const Cid> cids);

  BlockStore* const own_;
  MemoryStore& cache_;
  BlockClient client_;
  Duration timeout_;
  std::vector<Block> unwritten_;  // for the own store, until a write's worth has come
  ByteCount unwritten_bytes_ = 0;
  std::optional<Fault> own_fault_;  // of this lot
};

}  // namespace cidbus
