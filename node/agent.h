// The agent of a node: it tells the leader which role the node is in, which it could carry and what it has
// moved of itself, asks it for leave to change by itself, and takes orders to change the role. Leave is such
// an order, under the token of the wish.
//
// It is a client of the bus beside the role that the node hosts, under the name NODE.node, so that it is
// there before, during and after a change of that role.
//
// Thread rule: the thread of the reactor it is given. Limits: limits/roles.h; one answer is remembered.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "shared/io/bus_link.h"
#include "shared/io/move_record.h"
#include "shared/node/role_policy.h"

namespace cidbus {

// What a node says of its role.
struct RoleNews {
  Role role = Role::Worker;
  Role next = Role::Client;  // while it changes
  WallTime since;
  bool by_itself = false;
  std::uint64_t proposal = 0;  // the newest that it has dealt with
  std::uint64_t wish = 0;      // the token under which it asks to change by itself; 0: it does not
  Role wished = Role::Client;
};

class Agent {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    [[nodiscard]] virtual RoleNews news() const = 0;
    [[nodiscard]] virtual Detection chances() = 0;  // measured now
    virtual void on_order(Now now, const RoleChange& order) = 0;
    // The leader's word on a wish, or the end of one that was granted.
    virtual void on_answer(Now now, const RoleChangeAnswer& answer) = 0;
  };
  struct Place {
    std::string cluster;
    std::string node;
    std::vector<std::string> brokers;
  };
  // REQUIRES: what is referred to outlives it.
  Agent(SocketContext& context, Reactor& reactor, const Place& place, const MoveRecord& moves, Owner& owner,
        Log& log);
  ~Agent();
  Status open();

  // Something of the news has changed.
  void report(Now now);
  // How the order of that token went: told now, and to whoever gives the same order again.
  void answer(std::uint64_t order, RoleChangeOutcome outcome, std::string reason);
  // When report() is due at the latest.
  [[nodiscard]] Monotonic next() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cidbus
