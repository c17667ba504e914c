// The connections a broker knows: a number for each routing id that has said hello.
//
// Rooms that decide speak of peers by number; only the driver and the socket know routing ids. A peer is
// forgotten when its node says goodbye, when another incarnation takes its name, when a message could not be
// delivered to it, and when it is silent for too long: if it is still there it says hello again, and
// everything is taken up from identities.
//
// Invariants: 1. a number stands for one routing id until it is forgotten. 2. A name has at most one peer. 3.
// All are in one list in the order in which they were heard last.
//
// Thread rule: pure; one owner. Limits: limits::peers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker/tasks/output.h"
#include "shared/base/ids.h"
#include "shared/base/limits/brokers.h"
#include "shared/base/limits/times.h"
#include "shared/base/time.h"
#include "shared/core/node.h"

namespace cidbus {

struct PeerEntry {
  std::string routing_id;  // empty: the number is free
  std::string name;
  Role role = Role::Client;
  Incarnation incarnation;
  Monotonic heard{};            // last
  Peer earlier = Peer::Nobody;  // links of the list, heard before and after this one
  Peer later = Peer::Nobody;
  std::string key = {};  // it said hello with; empty where no keys are in use
};

class Peers {
 public:
  [[nodiscard]] std::optional<Peer> find(std::string_view routing_id) const;
  [[nodiscard]] std::optional<Peer> find_name(std::string_view name) const;
  // Heard now. Nothing when limits::peers are known already. REQUIRES: neither routing id nor name is known.
  std::optional<Peer> add(Monotonic now, PeerEntry entry);
  void forget(Peer peer);
  void heard(Monotonic now, Peer peer);
  // The one heard last the longest ago; Nobody when there is none.
  [[nodiscard]] Peer quietest() const { return first_; }
  // How long a peer may be silent.
  void set_timeout(Duration timeout) { timeout_ = timeout; }
  // When the quietest one has been silent for that long.
  [[nodiscard]] Monotonic silence_deadline() const;

  [[nodiscard]] bool known(Peer peer) const;
  // REQUIRES: known(peer).
  [[nodiscard]] PeerEntry& at(Peer peer);
  [[nodiscard]] std::size_t size() const { return by_routing_id_.size(); }
  // In the order of their names.
  [[nodiscard]] std::vector<Peer> all() const;

 private:
  void append(Peer peer);
  void unlink(Peer peer);

  std::vector<PeerEntry> entries_{1};  // by number; 0 is nobody
  std::vector<Peer> free_;
  std::map<std::string, Peer, std::less<>> by_routing_id_;
  std::map<std::string, Peer, std::less<>> by_name_;
  Peer first_ = Peer::Nobody;
  Peer last_ = Peer::Nobody;
  Duration timeout_ = limits::node_timeout;
};

}  // namespace cidbus
