// A leecher's bus: the ROUTER that commands and programs connect to as they would to a broker.
//
// It takes what is of this protocol, version and cluster from clients that have said hello, and hands it to
// its owner under a number; all else is refused with a reason. With keys, a client speaks under its key's
// name.
//
// Invariants: 1. a number stands for one connection and is not used twice. 2. Who could not be delivered to,
// or was silent for a minute, is forgotten; it says hello again.
//
// Thread rule: that of the reactor. Limits: limits::desk_guests; beyond, the longest silent one is forgotten.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "leecher/core/desk.h"
#include "shared/io/bus_link.h"
#include "shared/io/key_view.h"
#include "shared/io/reactor.h"
#include "shared/io/socket.h"
#include "shared/wire/codec.h"

namespace cidbus {

class Guests {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // False when no guest may say that.
    virtual bool on_guest_message(Now now, Guest guest, const Message& message) = 0;
    virtual void on_guest_gone(Guest guest) = 0;
  };

  // REQUIRES: everything referred to outlives it.
  Guests(SocketContext& context, Reactor& reactor, NodeIdentity identity, Owner& owner);
  ~Guests();
  Guests(const Guests&) = delete;
  Guests& operator=(const Guests&) = delete;

  // The faults of Socket::bind.
  Status listen(const std::string& address);
  // HOST:PORT it listens on. REQUIRES: listen() was Ok.
  [[nodiscard]] std::string address() const { return socket_.bound_address(); }
  void tell(Guest guest, const Message& message);
  // Forgets who was silent for too long.
  void end_turn(Now now);
  [[nodiscard]] std::size_t count() const { return by_number_.size(); }

 private:
  struct Known {
    std::string routing_id;
    Monotonic heard;
  };

  void read(Now now);
  void on_frame(Now now, ByteView routing_id, ByteView frame);
  void on_hello(Now now, ByteView routing_id, const Hello& hello);
  void refuse(ByteView routing_id, Refusal why, std::string_view reason);
  bool send(std::string_view routing_id, const Message& message);
  void forget(Guest guest);
  void forget_longest_silent();

  const NodeIdentity identity_;
  const ClusterId cluster_;
  Reactor& reactor_;
  Owner& owner_;
  Socket socket_;
  KeyView keys_;
  Frames frames_;
  Encoder encoder_;
  Decoder decoder_;
  std::map<Guest, Known> by_number_;
  std::map<std::string, Guest, std::less<>> by_routing_id_;
  std::vector<Guest> undeliverable_;  // forgotten at the turn's end, when nobody is in the midst of telling
  std::uint64_t last_number_ = 0;
};

}  // namespace cidbus
