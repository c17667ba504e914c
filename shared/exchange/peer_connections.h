// One thread's connections to the block exchanges of other nodes: DEALERs, made on demand.
//
// Invariants
//  1. Every number was given out by know() and means one name and endpoint for good.
//  2. The owner hears on_connected before anything a peer says, and on_lost once after it; what was sent
//     and not answered by then is lost.
//  3. With keys, a peer must have one that the allow-list gives to its name; one whose key was taken from
//     the list is left.
//  4. What is rubbish, or answers nothing this class knows, is counted and without effect.
//
// Thread rule: one thread. Limits: 64 messages read a peer and turn; a peer's queue is 1000 messages.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "shared/content/block.h"
#include "shared/core/content_messages.h"
#include "shared/exchange/block_index.h"
#include "shared/exchange/peer_id.h"
#include "shared/io/bus_link.h"
#include "shared/io/reactor.h"
#include "shared/io/socket.h"
#include "shared/wire/codec.h"

namespace cidbus {

class PeerConnections {
 public:
  // REQUIRES: does not call cut().
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual void on_connected(Monotonic now, PeerId peer) = 0;
    virtual void on_lost(Monotonic now, PeerId peer) = 0;
    // Unverified; without bytes unless the answer is Here.
    virtual void on_block_reply(Monotonic now, PeerId peer, BlockAnswer answer, const Block& block) = 0;
    virtual void on_store_reply(Monotonic now, PeerId peer, const Cid& cid, StoreAnswer answer,
                                std::string_view reason) = 0;
    virtual void on_refused(Monotonic now, PeerId peer, std::string_view reason) = 0;
  };

  // REQUIRES: context and owner outlive it.
  PeerConnections(SocketContext& context, const NodeIdentity& identity, Owner& owner);
  PeerConnections(const PeerConnections&) = delete;
  PeerConnections& operator=(const PeerConnections&) = delete;

  PeerId know(const StoringNode& node);
  [[nodiscard]] const StoringNode& node(PeerId peer) const { return peers_.at(peer.value).node; }
  // Begins to connect unless it has.
  void open(PeerId peer);
  // Ends the connection, and what ZeroMQ still held for it.
  void cut(PeerId peer);
  [[nodiscard]] bool is_connected(PeerId peer) const { return peers_.at(peer.value).connected; }

  // False when the peer's queue is full or it is not connected.
  bool want(PeerId peer, std::span<const Cid> cids);
  // The block's bytes are not copied.
  bool store(PeerId peer, const Block& block);

  // Waits until something arrives, `most` at the longest, and tells the owner.
  void wait(Duration most);
  [[nodiscard]] std::uint64_t rubbish() const { return rubbish_; }

 private:
  struct Peer {
    StoringNode node;
    std::unique_ptr<Socket> socket;  // none until it is opened
    bool connected = false;
    std::string key;                        // that it must have; empty where no keys are in use
    std::size_t tried = 0;                  // keys of its name that it did not have
    Monotonic greet_at = Monotonic::max();  // with a new socket
  };

  void connect(PeerId peer);
  void greet_again(Now now);

  void read(Monotonic now, PeerId peer);
  void read_events(Monotonic now, PeerId peer);
  void on_message(Monotonic now, PeerId peer, const std::shared_ptr<Frames>& frames);
  ByteView encode(const Message& message);

  SocketContext& context_;
  const NodeIdentity identity_;
  const ClusterId cluster_;
  Owner& owner_;
  Encoder encoder_;
  Decoder decoder_;
  std::deque<Peer> peers_;  // by number
  std::uint64_t last_request_ = 0;
  std::uint64_t rubbish_ = 0;
  std::uint64_t keys_version_ = 0;  // of the allow-list that chose the keys
  Reactor reactor_;
};

}  // namespace cidbus
