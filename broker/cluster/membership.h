// Who is in the cluster: a table of every node the leader knows, and what silence says about each.
//
// joining -> alive at the first sign of life after hello; alive -> suspect after half the node timeout of
// silence, or at once when its connection broke; suspect -> dead after the whole timeout, or when a broken
// connection did not return within the reconnect grace (CONSENSUS W3); any message revives it. A goodbye
// makes it left.
//
// Invariants
//  1. A name is held by one incarnation at a time; a second live claimant is refused.
//  2. Each change is reported once, and remembered with its number; numbers have no gaps.
//  3. A turn costs what changed in it: all are looked at only when one may have been silent for too long.
//
// Thread rule: pure; one owner. Limits: limits::members; departed ones are forgotten first, oldest first;
// limits::member_changes_kept.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "shared/base/limits/tasks.h"
#include "shared/base/limits/times.h"
#include "shared/base/time.h"
#include "shared/core/message.h"

namespace cidbus {

class Membership {
 public:
  struct Node {
    Role role = Role::Client;
    MemberState state = MemberState::Joining;
    Incarnation incarnation;
    std::string exchange;  // host:port; empty when it stores no blocks
    NodeLoad load;         // as last told, by its hello or a heartbeat
    WallTime joined_at;
    WallTime last_seen;
    Monotonic heard{};
    std::optional<Monotonic> beat_at;    // its last heartbeat
    std::optional<Monotonic> broken_at;  // its connection broke, and it has not been heard since
    std::vector<std::pair<std::string, std::string>> labels;
  };
  // From now on; may be called at any time.
  void set_timeouts(Duration node_timeout, Duration reconnect_grace);

  enum class HelloAnswer { Welcome, NameTaken, Full };

  explicit Membership(Duration node_timeout = limits::node_timeout,
                      Duration reconnect_grace = limits::reconnect_grace);

  // `other_is_gone`: the connection of the incarnation that holds the name is known to be dead.
  HelloAnswer hello(Now now, std::string_view name, Incarnation incarnation, const Hello& hello,
                    bool other_is_gone);
  // Any message of the node; false when this incarnation is not a live member.
  bool heard(Now now, std::string_view name, Incarnation incarnation);
  // On the feed, which is another connection than the bus: a sign of life, but none that a broken bus has
  // returned.
  bool heartbeat(Now now, std::string_view name, Incarnation incarnation, const NodeLoad& load);
  void goodbye(Now now, std::string_view name, Incarnation incarnation);
  void connection_broke(Now now, std::string_view name, Incarnation incarnation);

  // Lets time pass; the names whose state changed since the last call, each once, in the order of names.
  std::vector<std::string> take_changes(Now now);
  // When time alone may change something next, at the earliest: whoever is heard has longer.
  [[nodiscard]] std::optional<Monotonic> deadline() const;

  [[nodiscard]] const std::map<std::string, Node, std::less<>>& nodes() const { return nodes_; }
  [[nodiscard]] const Node* find(std::string_view name) const;
  // What became of members since this table was made, oldest first: changes above `after`, so many at most.
  [[nodiscard]] std::vector<MemberChange> history(std::uint64_t after, std::size_t most) const;
  [[nodiscard]] std::uint64_t last_change() const { return last_change_; }
  // Joining, alive or suspect.
  static bool is_live(const Node& node) { return node.state <= MemberState::Suspect; }

 private:
  struct Past {
    std::string name;
    MemberChange change;  // but for the name
  };
  void set_state(Now now, const std::string& name, Node& node, MemberState state);
  void remember(Now now, const std::string& name, const Node& node, MemberState from);
  [[nodiscard]] MemberState state_at(Monotonic now, const Node& node) const;
  [[nodiscard]] Monotonic due_of(const Node& node) const;
  void look_at_all(Now now);
  bool make_room();

  std::deque<Past> history_;
  std::uint64_t last_change_ = 0;  // number of the newest
  Duration node_timeout_;
  Duration reconnect_grace_;
  std::map<std::string, Node, std::less<>> nodes_;
  std::map<std::string, bool, std::less<>> changed_;  // an ordered set of names
  Monotonic due_ = Monotonic::max();  // before it time changes nobody, so a turn need not look at thousands
};

// The core value of a node; views into the table.
Member member_of(std::string_view name, const Membership::Node& node);

}  // namespace cidbus
