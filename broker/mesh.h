// The sockets between the brokers of a group: control at P+3, bulk at P+4 of each (DESIGN section 4).
//
// A broker sends over a DEALER of its own to each peer and receives at a ROUTER, for control and for bulk
// apart, so that no heartbeat ever queues behind a batch: each has sockets and an I/O thread of its own. A
// message is an envelope's frame and, behind it, batches as they lie in memory, which are sent without a copy
// to every peer. Nothing is queued for a peer that is not there; what a full queue refuses is lost, as the
// protocol expects.
//
// Invariants
//  1. send() never blocks, and a message leaves whole or not at all.
//  2. A turn reads at most messages_a_turn of each socket, control first (CONSENSUS section 3, the loop
//     rule).
//
// Thread rule: the reactor's thread; two I/O threads of its own. Limits: limits::mesh_control_queue and
// mesh_bulk_queue messages a peer and direction.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/core/group_messages.h"
#include "shared/io/reactor.h"
#include "shared/io/socket.h"

namespace cidbus {

class Mesh {
 public:
  static constexpr int control_offset = 3;
  static constexpr int bulk_offset = 4;

  class Owner {
   public:
    virtual ~Owner() = default;
    // `frames`: the sender's routing id, the envelope, and what follows it.
    virtual void on_mesh(Now now, group::Channel channel, const Frames& frames) = 0;
    // The control connection to a peer broke (its process died, or the network says so), or stands again.
    virtual void on_link(Now now, std::size_t peer, bool up) = 0;
    // Somebody was cut off who spoke as `sender`, and whose key is that of `holder` or of nobody.
    virtual void on_stranger(std::string_view sender, std::string_view holder) = 0;
  };
  struct Options {
    std::string routing_id;               // NAME#INCARNATION
    std::string listen;                   // HOST:PORT of this broker's bus
    std::vector<std::string> peers;       // HOST:PORT of the others' bus; their places name them below
    std::vector<std::string> names = {};  // of the peers; with keys, each must have the key of its name
    Trust trust = {};
  };

  // REQUIRES: reactor and owner outlive it.
  Mesh(Options options, Reactor& reactor, Owner& owner);
  ~Mesh();
  Mesh(const Mesh&) = delete;
  Mesh& operator=(const Mesh&) = delete;

  Status open();
  SendAnswer send(std::size_t peer, group::Channel channel, ByteView envelope,
                  std::span<const std::shared_ptr<const Bytes>> payload = {});

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cidbus
