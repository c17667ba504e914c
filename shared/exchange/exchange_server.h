// Serves a node's blocks to other nodes, and takes blocks they want stored here.
//
// Invariants
//  1. A block goes out only while less than limits::serve_peer_bytes are on their way to this peer, and
//     window() to all, counted until ZeroMQ has let go of them; what waits is asked-for CIDs, not bytes.
//  2. Beyond limits::serve_wants of those the answer is Busy: nothing queues without bound.
//  3. Blocks to store that came in one turn are one synced write; each is answered after it, Synced,
//     BadHash or NoRoom. Announcing new keys is the store's listener's work.
//  4. A block of which the store says TryAgain, since it is fetching it itself, is answered Busy.
//  5. What is not of this protocol, version and cluster, or not said by who holds the connection's key,
//     is refused with a reason, counted, and without effect.
//
// An actor: a thread of its own, which alone has the socket. Thread rule: any thread, but the owner destroys
// it. Limits: limits/exchange.h, serve_*.
#pragma once

#include <memory>
#include <string>

#include "shared/base/limits/exchange.h"
#include "shared/io/bus_link.h"
#include "shared/io/socket.h"
#include "shared/store/block_store.h"

namespace cidbus {

// Since it was started.
struct ExchangeCounts {
  std::uint64_t blocks_sent = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t blocks_stored = 0;  // answered Synced
  std::uint64_t bytes_stored = 0;
  std::uint64_t blocks_missing = 0;  // asked for, not here
  std::uint64_t busy = 0;
  std::uint64_t bad_blocks = 0;  // to store, and not what their CID names
  std::uint64_t no_room = 0;
  std::uint64_t synced_writes = 0;     // puts that stored blocks of other nodes
  std::uint64_t damaged = 0;           // found so when they were read, and removed
  std::uint64_t refused_messages = 0;  // rubbish, other versions and clusters, wrong kinds
  std::uint64_t most_bytes_on_the_way = 0;
};

class ExchangeServer {
 public:
  // Listens on HOST:PORT (port * for a free one). REQUIRES: context and store outlive it.
  static Result<std::unique_ptr<ExchangeServer>> start(SocketContext& context, BlockStore& store,
                                                       const NodeIdentity& identity,
                                                       const std::string& address);
  // Stops within the time of one synced write.
  ~ExchangeServer();
  ExchangeServer(const ExchangeServer&) = delete;
  ExchangeServer& operator=(const ExchangeServer&) = delete;

  // HOST:PORT it listens on.
  [[nodiscard]] const std::string& address() const;
  [[nodiscard]] ExchangeCounts counts() const;

  // Bytes of blocks that may be on their way to all peers; limits::serve_bytes at first.
  [[nodiscard]] ByteCount window() const;
  void set_window(ByteCount bytes);
  // Bytes of blocks in a turn: gathered for one synced write, and read to be sent; limits::store_write_bytes
  // at first. Blocks are whole, so the last one may go beyond it, and beyond the window.
  [[nodiscard]] ByteCount batch() const;
  void set_batch(ByteCount bytes);

  // Whether blocks to store are taken. When not, each is answered NoRoom and goes to another node, and
  // what was being written is in the store when this returns.
  void set_taking(bool takes);

 private:
  class Actor;
  explicit ExchangeServer(std::unique_ptr<Actor> actor);
  std::unique_ptr<Actor> actor_;
};

}  // namespace cidbus
