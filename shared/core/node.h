// Nodes and the cluster as its members see it.
//
// Thread rule: values, views as in task.h. Limits: limits/words.h.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/base/ids.h"
#include "shared/base/time.h"

namespace cidbus {

enum class Role : std::uint8_t { Master, Worker, Leecher, Gateway, Observer, Client };
std::string_view to_text(Role role);
std::optional<Role> parse_role(std::string_view text);
// Of a number that is a node's role: any but a client.
constexpr bool is_node_role(std::int64_t number) {
  return number >= 0 && number < static_cast<std::int64_t>(Role::Client);
}

// DESIGN section 8. A node is in its own table.
enum class MemberState : std::uint8_t { Joining, Alive, Suspect, Left, Dead };
std::string_view to_text(MemberState state);

// What a node counts of itself, in every heartbeat.
struct NodeLoad {
  std::uint32_t slots = 0;
  std::uint32_t busy = 0;
  std::uint64_t blocks = 0;       // blocks held
  std::uint64_t block_bytes = 0;  // bytes of them
  std::uint64_t disk_free_bytes = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t config_version = 0;  // of the configuration it has applied (config_messages.h)
};

// What its owner says of where a node is, in the owner's order: zone=a tells which nodes fail together.
using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

struct Member {
  std::string_view name;
  Role role = Role::Client;
  MemberState state = MemberState::Joining;
  Incarnation incarnation;
  std::string_view exchange;  // host:port where its blocks are served; empty when it stores none
  NodeLoad load;
  WallTime joined_at;
  WallTime last_seen;
  Labels labels = {};
};

// A member's state was another one before.
struct MemberChange {
  std::uint64_t number = 0;  // counts from 1 in each office
  WallTime at;
  std::string_view name;
  Role role = Role::Client;
  Incarnation incarnation;
  MemberState from = MemberState::Left;  // also of a name that is new
  MemberState to = MemberState::Joining;
};

struct NodeAddress {
  std::string_view name;
  std::string_view endpoint;  // host:port
};

struct BrokerInfo {
  std::string_view name;
  std::string_view endpoint;  // host:port of its bus
  bool leader = false;
  Epoch epoch;
  LogIndex last;     // newest record it holds
  LogIndex durable;  // synced
  LogIndex commit;
  LogIndex applied;
};

// The 16 leading bytes of a block's digest: how brokers index who holds what. A collision costs one vain
// question, since every block is hashed where it arrives.
struct BlockKey {
  std::array<std::uint8_t, 16> bytes{};
  friend constexpr auto operator<=>(const BlockKey&, const BlockKey&) = default;
};

}  // namespace cidbus
