// A simulated node: its connections to the brokers, the one that it takes for the leader, and its turns, as
// shared/io/bus_link does them with real sockets.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <deque>
#include <string>

#include "shared/io/bus_link.h"
#include "shared/node/leader_link.h"
#include "shared/wire/codec.h"
#include "tests/sim/bus_network.h"
#include "tests/sim/chronicle.h"
#include "tests/sim/truths.h"

namespace cidbus::sim {

// What every node stands on.
struct NodeGround {
  Timeline& timeline;
  BusNetwork& network;
  Truths& truths;
  Chronicle& chronicle;
  std::vector<std::string> brokers;  // their addresses
};

class Node : public NodeEnd {
 public:
  Node(const NodeGround& ground, NodeIdentity identity, Prng prng);
  ~Node() override;
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  [[nodiscard]] const NodeIdentity& identity() const { return identity_; }
  // Its process is stopped for so long; what comes meanwhile waits.
  void stand_still(Duration lasts);
  // Of the configuration that it was told last.
  [[nodiscard]] std::uint64_t config_version() const { return config_version_; }

 protected:
  virtual Hello make_hello() = 0;
  virtual void on_bound(const Welcome& welcome) = 0;
  virtual void on_unbound() = 0;
  virtual void on_message(const Message& message) = 0;
  // The end of a turn; when it wants to be called again.
  virtual std::optional<Monotonic> turn() = 0;
  [[nodiscard]] bool resuming() const { return resuming_; }
  virtual void on_paused() {}
  // What waited has been seen to.
  virtual void on_resumed() {}

  bool send(const Message& message);
  // Makes a turn happen now, after whatever is under way.
  void wake();
  Truths& truths() { return ground_.truths; }
  Chronicle& chronicle() { return ground_.chronicle; }
  [[nodiscard]] Now now() const { return ground_.timeline.now(); }
  Prng& prng() { return prng_; }
  // Runs `event` later unless this node is gone by then.
  void after(Duration delay, std::function<void()> event);

 private:
  void on_connected(std::size_t broker) override;
  void on_disconnected(std::size_t broker) override;
  void on_frame(std::size_t broker, ByteView frame) override;
  void on_feed(ByteView frame) override;
  // Now, or when it goes on.
  void input(std::function<void()> act);
  void go_on();
  void read(std::size_t broker, ByteView frame);
  void hear(ByteView frame);
  void live_by(const Configuration& configuration);
  void changed(LeaderLink::Change change, const Message* message);
  void send_to(std::size_t broker, const Message& message);
  void take_turn();
  void wake_at(Monotonic when);

  NodeGround ground_;
  NodeIdentity identity_;
  std::string routing_id_;
  Prng prng_;
  LeaderLink link_;
  Fencing fencing_;
  Encoder encoder_;
  Decoder decoder_;
  Monotonic next_turn_ = Monotonic::max();
  bool paused_ = false;
  bool resuming_ = false;  // what waited is being seen to
  std::deque<std::function<void()>> while_paused_;
  std::uint64_t config_version_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // for events that outlive the node
};

}  // namespace cidbus::sim
