// The leader's part of roles: what each node process is and could be, what nodes have moved of themselves,
// and the way of an order to change a role: from who gives it to the node's agent, and of the answer back.
//
// A node that wishes to change by itself orders itself to, and hears as anybody would that it may not.
//
// Nothing of it is replicated: nodes tell it anew to each leader. An order is known by its token, so who asks
// again, of this leader or the next, is told how the same change went. Role changes that were accepted by
// vote are in the replicated book, and sent to the agent until it says that it has dealt with them.
//
// Invariants
//  1. What would leave the cluster without a worker, or its group without a majority that answers, is
//     refused unless it is forced. A node that has been ordered away counts for neither from its order on. A
//     broker is made only of a node that --group names.
//  2. Whoever asks is answered: at once with a refusal, or when the agent has told how it ended.
//  3. An agent speaks for its own node alone.
//
// Thread rule: one owner. Limits: limits/roles.h, limits::members; what was told by nodes that are gone is
// forgotten first.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "broker/tasks/output.h"
#include "broker/tasks/state_machine.h"

namespace cidbus {

// What must be known of the cluster.
class RoleFacts {
 public:
  struct Node {
    std::string_view name;
    Role role = Role::Client;
    MemberState state = MemberState::Left;
    WallTime since;
  };
  virtual ~RoleFacts() = default;
  // Members, and every broker of the group; views live until the cluster changes.
  [[nodiscard]] virtual std::vector<Node> nodes() const = 0;
  [[nodiscard]] virtual bool is_of_group(std::string_view name) const = 0;
  // Why the group cannot spare this broker of its, when those that are `away` are not there either; empty
  // when it can.
  [[nodiscard]] virtual std::string loss_of(std::string_view broker,
                                            const std::vector<std::string_view>& away) const = 0;
};

class RoleService {
 public:
  // REQUIRES: both outlive it.
  RoleService(Output& output, const RoleFacts& facts) : output_(output), facts_(facts) {}

  // REQUIRES: the state outlives the service.
  void take_office(const StateMachine& state) { state_ = &state; }
  // Moves, RoleReport, RoleQuery, RoleChange and RoleChangeAnswer; false for any other.
  bool on_message(Peer peer, std::string_view sender, const Message& message);
  void on_peer_gone(Peer peer);
  // Sends role changes that were decided.
  void on_applied(const Changes& changes);
  // Why the node cannot be in that role; empty when it can.
  [[nodiscard]] std::string objection(std::string_view node, Role role, bool force) const;
  // Whether it was ordered to another role than the one it is in, and has not answered how that ended.
  [[nodiscard]] bool is_leaving(std::string_view node) const;

 private:
  struct Chance {
    Role role = Role::Worker;
    bool possible = false;
    std::uint32_t permille = 0;
    std::string limit;
  };
  struct Report {
    Peer agent = Peer::Nobody;  // while it is there
    Role role = Role::Worker;
    Role next = Role::Client;
    WallTime since;
    bool by_itself = false;
    std::uint64_t proposal = 0;
    std::vector<Chance> chances;
    std::uint64_t ordered = 0;  // the token of the last order; 0: it has answered
    Role ordered_role = Role::Client;
    // The role it is on its way to; client for none.
    [[nodiscard]] Role heading() const {
      const Role to = next != Role::Client || ordered == 0 ? next : ordered_role;
      return to == role ? Role::Client : to;
    }
  };
  struct Setting {
    std::string what, now, given;
  };
  struct Moved {
    WallTime at;
    std::string what, from, to, reason;
  };
  struct Told {
    Peer peer = Peer::Nobody;
    std::vector<Setting> settings;
    std::vector<Moved> moves;
  };
  struct Asked {
    Peer peer = Peer::Nobody;
    RequestId request;
    std::uint64_t token = 0;
    std::string node;
    Role role = Role::Worker;
    bool force = false;
  };
  void on_moves(Peer peer, std::string_view sender, const Moves& moves);
  void on_report(Peer peer, std::string_view sender, const RoleReport& report);
  void on_query(Peer peer, const RoleQuery& query);
  void on_change(Peer peer, const RoleChange& change);
  void on_answer(std::string_view sender, const RoleChangeAnswer& answer);
  void carry_out_votes(std::string_view node);
  void give(Report& report, const RoleChange& order);
  [[nodiscard]] bool is_away(std::string_view node, Role role) const;
  [[nodiscard]] std::string loss_of(std::string_view broker) const;
  void add_told(NodeRole& node, std::string_view sender, bool with_moves) const;
  [[nodiscard]] NodeRole describe(const RoleFacts::Node& fact, bool with_moves) const;
  [[nodiscard]] const Report* agent_of(std::string_view node) const;

  Output& output_;
  const RoleFacts& facts_;
  const StateMachine* state_ = nullptr;
  std::map<std::string, Report, std::less<>> reports_;  // by node
  std::map<std::string, Told, std::less<>> told_;       // by who told it: a node, or its agent
  std::deque<Asked> asked_;
};

}  // namespace cidbus
