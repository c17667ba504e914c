// A simulated network between nodes and one broker: delays, broken connections, and what ROUTER and DEALER
// make of them.
//
// A connection is first in, first out, like TCP under ZeroMQ. When it breaks, what was on its way in both
// directions is lost, both ends are told, and the node connects again after a while, as long as the broker
// listens. One that falls silent swallows what is sent, and nobody is told until it breaks, as when a host is
// gone.
//
// Invariants: 1. frames of one connection arrive in order, each once, or not at all. 2. Sending to a peer
// that is not connected is Unroutable at once, as MANDATORY makes it.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <map>
#include <string>

#include "shared/base/bytes.h"
#include "shared/base/prng.h"
#include "shared/io/socket.h"
#include "tests/sim/base/timeline.h"

namespace cidbus::sim {

class NodeEnd {
 public:
  virtual ~NodeEnd() = default;
  virtual void on_connected() = 0;
  virtual void on_disconnected() = 0;
  virtual void on_frame(ByteView frame) = 0;
};

class BrokerEnd {
 public:
  virtual ~BrokerEnd() = default;
  virtual void on_frame(ByteView routing_id, ByteView frame) = 0;
  virtual void on_connection_broke() = 0;
};

class Network {
 public:
  Network(Timeline& timeline, Prng prng) : timeline_(timeline), prng_(prng) {}

  // The node begins to connect. REQUIRES: it stays until remove_node.
  void add_node(const std::string& routing_id, NodeEnd& end);
  // Its process has ended: the broker sees the connection break.
  void remove_node(const std::string& routing_id);
  // A broker begins, or ceases, to listen.
  void set_broker(BrokerEnd* end);

  SendAnswer send_to_node(std::string_view routing_id, ByteView frame);
  bool send_to_broker(const std::string& routing_id, ByteView frame);
  // The connection of a node chosen by chance breaks; true if there was one.
  bool break_some_connection();
  // The connection of a node chosen by chance carries nothing any more and breaks after a while; true if
  // there was one.
  bool silence_some_connection(Duration lasts);
  // From a stranger who has no connection to be answered on.
  void inject(const std::string& routing_id, ByteView frame);
  // What some node has sent last.
  [[nodiscard]] ByteView last_to_broker() const { return last_to_broker_; }

 private:
  struct Connection {
    NodeEnd* node = nullptr;
    bool up = false;
    bool silent = false;
    std::uint64_t generation = 0;  // of the connection, so that what a broken one carried is lost
    Monotonic last_to_node{};
    Monotonic last_to_broker{};
  };
  void connect_later(const std::string& routing_id);
  Connection* some_connection(const std::string*& routing_id);
  void break_connection(Connection& connection, const std::string& routing_id);
  Monotonic arrival(Monotonic& last);

  Timeline& timeline_;
  Prng prng_;
  BrokerEnd* broker_ = nullptr;
  std::map<std::string, Connection, std::less<>> connections_;
  std::uint64_t generations_ = 0;
  Bytes last_to_broker_;
};

}  // namespace cidbus::sim
