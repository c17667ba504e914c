// A simulated network between nodes and brokers: delays, broken connections, and what ROUTER and DEALER make
// of them. Every node has a connection to each broker.
//
// A connection is first in, first out, like TCP under ZeroMQ. When it breaks, what was on its way in both
// directions is lost, both ends are told, and the node connects again after a while, as long as the broker
// listens. One that falls silent swallows what is sent, and nobody is told until it breaks, as when a host is
// gone. One that is clogged holds what is sent, in one direction or both, and lets it through later, in
// order: so an order of a leader that was deposed long ago arrives after all.
//
// Invariants: 1. frames of one connection arrive in order, each once, or not at all. 2. Sending to a peer
// that is not connected is Unroutable at once, as MANDATORY makes it.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/base/prng.h"
#include "shared/io/socket.h"
#include "tests/sim/base/timeline.h"

namespace cidbus::sim {

class NodeEnd {
 public:
  virtual ~NodeEnd() = default;
  virtual void on_connected(std::size_t broker) = 0;
  virtual void on_disconnected(std::size_t broker) = 0;
  virtual void on_frame(std::size_t broker, ByteView frame) = 0;
  // Something that a broker has published.
  virtual void on_feed(ByteView frame) = 0;
};

class BrokerEnd {
 public:
  virtual ~BrokerEnd() = default;
  virtual void on_frame(ByteView routing_id, ByteView frame) = 0;
  virtual void on_connection_broke() = 0;
};

enum class Trouble { Breaks, Silent, Clogged, ClogsToNode, ClogsToBroker };

class BusNetwork {
 public:
  BusNetwork(Timeline& timeline, Prng prng, std::size_t brokers)
      : timeline_(timeline), prng_(prng), brokers_(brokers) {}

  // The node begins to connect to every broker. REQUIRES: it stays until remove_node.
  void add_node(const std::string& routing_id, NodeEnd& end);
  // Its process has ended: the brokers see the connections break.
  void remove_node(const std::string& routing_id);
  // A broker begins, or ceases, to listen.
  void set_broker(std::size_t broker, BrokerEnd* end);

  SendAnswer send_to_node(std::size_t broker, std::string_view routing_id, ByteView frame);
  bool send_to_broker(const std::string& routing_id, std::size_t broker, ByteView frame);

  // To every node that is connected, on a connection of its own beside the other; it loses some.
  void publish(std::size_t broker, ByteView frame);

  // A connection chosen by chance is in trouble for so long; true if there was one that stood.
  bool trouble_one(Trouble trouble, Duration lasts);
  // The same, of every connection of a node chosen by chance.
  void trouble_node(Trouble trouble, Duration lasts);
  // The same, of every connection that a broker has.
  void trouble_all(std::size_t broker, Trouble trouble, Duration lasts);
  // All trouble is over.
  void heal();

  // From a stranger who has no connection to be answered on.
  void inject(std::size_t broker, const std::string& routing_id, ByteView frame);
  // What some node has sent last.
  [[nodiscard]] ByteView last_to_broker() const { return last_to_broker_; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }

 private:
  struct Direction {
    Monotonic last_arrival{};
    bool clogged = false;
    std::vector<Bytes> held;
  };
  struct Connection {
    bool up = false;
    bool silent = false;
    std::uint64_t generation = 0;  // so that what a broken one carried is lost
    Direction to_node;
    Direction to_broker;
    Direction feed;  // clogs with to_node
  };
  struct Node {
    NodeEnd* end = nullptr;  // null: gone, and some broker does not know it yet
    std::vector<Connection> connections;
  };
  using Nodes = std::map<std::string, Node, std::less<>>;

  // The connection if it is still the one that stood then.
  Connection* find(const std::string& routing_id, std::size_t broker, std::uint64_t generation);
  void connect_later(const std::string& routing_id, std::size_t broker);
  void break_connection(const std::string& routing_id, std::size_t broker);
  void tell_broken(const std::string& routing_id, std::size_t broker);
  void trouble(const std::string& routing_id, std::size_t broker, Trouble trouble, Duration lasts);
  void end_trouble(const std::string& routing_id, std::size_t broker);
  void deliver_to_node(const std::string& routing_id, std::size_t broker, std::uint64_t generation,
                       Bytes frame);
  void deliver_to_broker(const std::string& routing_id, std::size_t broker, std::uint64_t generation,
                         Bytes frame);
  void deliver_feed(const std::string& routing_id, std::size_t broker, std::uint64_t generation, Bytes frame);
  void forget_if_gone(const std::string& routing_id);
  Monotonic arrival(Direction& direction);

  Timeline& timeline_;
  Prng prng_;
  std::vector<BrokerEnd*> brokers_;  // null while it does not listen
  Nodes nodes_;
  std::uint64_t generations_ = 0;
  std::uint64_t sent_ = 0;
  Bytes last_to_broker_;
};

}  // namespace cidbus::sim
