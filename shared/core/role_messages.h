// Roles as they are told and changed, and what nodes move of themselves (DESIGN section 8).
//
// A node process (cidbus-node) of one role speaks to the leader as a client of its own, beside the role that
// it hosts and whatever becomes of that: its agent.
//
// Thread rule: values. Limits and invariants: message.h, limits/roles.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/limits/words.h"
#include "shared/core/node.h"

namespace cidbus {

// What a node moved, or had moved, of itself.
struct Move {
  WallTime at;
  std::string_view what;  // role, slots, ...
  std::string_view from;
  std::string_view to;
  std::string_view reason;  // one line, for a person
};
// A number that a node moves by itself, as people write it.
struct MovedSetting {
  std::string_view what;
  std::string_view now;    // by the word of what lives by it
  std::string_view given;  // what it was given
};
// Node or agent to leader, after each welcome and each move: all of it, in the place of what it told before.
struct Moves {
  std::vector<MovedSetting> settings;
  std::vector<Move> moves;  // oldest first
};

struct RoleChance {
  Role role = Role::Worker;
  bool possible = false;
  std::uint32_t permille = 0;  // its score
  std::string_view limit;      // what limits it: "memory 800 of 1024 MB"
};
// Agent to leader, after each welcome and each change.
struct RoleReport {
  std::string_view node;
  Role role = Role::Worker;
  Role next = Role::Client;  // what it is changing to; Client: nothing
  WallTime since;
  bool by_itself = false;      // it changes without being told, too
  std::uint64_t proposal = 0;  // the newest that it has carried out, or could not
  std::vector<RoleChance> chances;
};

struct RoleQuery {
  RequestId request;
  std::string_view node;  // empty: all
};
struct NodeRole {
  std::string_view node;
  Role role = Role::Client;  // as its agent says, or as a member
  MemberState state = MemberState::Left;
  bool changes = false;  // an agent is there that changes it when told
  bool by_itself = false;
  Role next = Role::Client;
  WallTime since;
  std::vector<RoleChance> chances;
  std::vector<MovedSetting> settings;
  std::vector<Move> moves;  // oldest first; of one that was named only
};
struct RoleReports {
  RequestId request;
  std::vector<NodeRole> nodes;  // by name
};

// Client to leader, and leader to agent. The same token again is the same change.
struct RoleChange {
  RequestId request;
  std::uint64_t token = 0;
  std::string_view node;
  Role role = Role::Worker;
  bool force = false;          // though it is the last worker, or a broker that the quorum needs
  std::uint64_t proposal = 0;  // that was accepted; 0: a person asks
};
enum class RoleChangeOutcome : std::uint8_t {
  Done,     // it is in the role
  Begun,    // nobody will be left to tell how it ends
  Refused,  // it was not tried
  Failed    // it was, and the node is in its old role
};
// Agent to leader, and leader to client, once it is over.
struct RoleChangeAnswer {
  RequestId request;
  std::uint64_t token = 0;
  std::string_view node;
  RoleChangeOutcome outcome = RoleChangeOutcome::Done;
  std::string_view reason;
};

// The name that a node's agent speaks under.
inline std::string agent_name(std::string_view node) {
  return std::string(node.substr(0, limits::name_length - 5)) + ".node";
}

}  // namespace cidbus
