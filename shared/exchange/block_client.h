// Fetches blocks from other nodes and stores blocks on them, for one thread that may wait.
//
// The decisions are FetchPlan's and StorePlan's; here they are carried to the index and to the sockets. Both
// sides share the connections, and go on together whenever either waits.
//
// Invariants
//  1. Every block that comes in is hashed before it is handed on; wrong ones are counted and fetched from
//     another node.
//  2. flush() returns Ok only when every block handed to store() since the last flush is synced on as
//     many distinct nodes as StorePlan promises. Ok or not, it ends the lot: the next store() begins
//     another.
//  3. Memory: limits::store_bytes of blocks to store, limits::fetch_bytes of blocks under way, and what
//     the sockets hold of the latter.
//
// Thread rule: one thread, its own. Limits: limits/exchange.h, fetch_* and store_*.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "shared/base/limits/exchange.h"
#include "shared/base/limits/times.h"
#include "shared/content/block.h"
#include "shared/exchange/block_index.h"
#include "shared/io/bus_link.h"
#include "shared/io/socket.h"

namespace cidbus {

struct BlockClientOptions {
  std::uint32_t copies = 2;  // of what is stored; fewer when fewer nodes store
  // This node stores every block too, before flush(), and is one of the storing nodes by its own name.
  bool keeps_copy = false;
  ByteCount store_window_bytes = limits::store_bytes;
  Duration provider_silence = limits::provider_silence;
  Duration target_silence = limits::target_silence;
  Duration room_patience = std::chrono::seconds(2);  // while the index knows no node with room
  Duration patience = std::chrono::seconds(30);      // of store() and flush() while nothing moves
  Duration unknown_patience = Duration::max();       // of fetch() while the index names no holder
  std::function<bool()> stopped = {};                // once it says true, no call waits over a second
};

// Since it was made.
struct BlockClientCounts {
  std::uint64_t blocks_fetched = 0;
  std::uint64_t bytes_fetched = 0;
  std::uint64_t wrong_blocks = 0;     // came with bytes that their CID does not name
  std::uint64_t unwanted_blocks = 0;  // came late or unasked
  std::uint64_t rubbish = 0;          // messages that make no sense
  std::uint64_t blocks_settled = 0;
  ByteCount most_bytes_held = 0;  // of blocks to store
};

class BlockClient {
 public:
  // Hears of prefetched blocks, verified; those that were waited for are returned instead.
  using Arrived = std::function<void(const Block&)>;

  // REQUIRES: context and index outlive it; copies is at least 1.
  BlockClient(SocketContext& context, BlockIndex& index, const NodeIdentity& identity,
              const BlockClientOptions& options, Arrived arrived);
  ~BlockClient();
  BlockClient(const BlockClient&) = delete;
  BlockClient& operator=(const BlockClient&) = delete;

  // Keeps looking until the deadline, or for unknown_patience, since nodes that hold it may be about to
  // start. NotFound, "no node holds CID", TimedOut when holders do not answer, or what the index said;
  // Unavailable once stopped. REQUIRES: no identity CID.
  Result<Block> fetch(const Cid& cid, Monotonic deadline);
  // All of them, in the order they come; the first fault of `take` ends it.
  Status fetch_all(std::span<const Cid> cids, Monotonic deadline,
                   const std::function<Status(const Block&)>& take);
  // Begins to fetch; what cannot be had at once is given up.
  void prefetch(std::span<const Cid> cids);
  // Whether it is under way.
  [[nodiscard]] bool is_fetching(const Cid& cid) const;
  // Does what can be done without waiting: between two blocks that need no fetching.
  void work();

  // Waits while the window is full. The bytes are shared until enough nodes have synced them. A fault is
  // final for this lot, and flush() tells it again.
  Status store(const Block& block);
  Status flush();

  // Whom the index names as holders of each, without this node itself.
  Result<BlockHolders> find(std::span<const Cid> cids, Monotonic deadline);

  [[nodiscard]] BlockClientCounts counts() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cidbus
