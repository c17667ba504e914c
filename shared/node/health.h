// Health: of a node from its own signs, of the cluster from its nodes, brokers and tasks. One set of rules
// for whoever asks: the command, an observer.
//
// Every verdict but healthy has reasons, the worst first. Unknown is worse than healthy and better than a
// warning: where signs are missing nothing is called healthy, and what is known to be wrong is still said.
//
// Invariants
//  1. No sign that is missing makes anything healthy: without a leader's word a cluster is at best unknown,
//     without having been heard a node is.
//  2. A node alone makes the cluster a warning at most; without a majority of brokers, or with tasks that
//     nobody can run, it is critical.
//
// Thread rule: pure. Limits: health_reasons.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/core/node.h"
#include "shared/node/group_overview.h"

namespace cidbus {

inline constexpr std::size_t health_reasons = 20;  // of the cluster; the others are counted

enum class HealthStatus : std::uint8_t { Healthy, Unknown, Warning, Critical };
std::string_view to_text(HealthStatus status);

struct Health {
  HealthStatus status = HealthStatus::Healthy;
  std::vector<std::string> reasons;  // the worst first
};

struct NodeSigns {
  std::string name;
  Role role = Role::Client;
  MemberState state = MemberState::Joining;
  std::optional<std::chrono::milliseconds>
      silent;           // since it was heard; nothing: it never was, or nobody knows
  bool stores = false;  // blocks, so that its disk matters
  NodeLoad load;
  std::optional<double> cpu_percent;
  std::optional<double> memory_percent;
  std::optional<double> disk_percent;  // used
};
// What a leader says of a member; `now` by the clock of whoever asks.
NodeSigns signs_of(const Member& member, WallTime now);
Health health_of(const NodeSigns& signs);

struct ClusterSigns {
  const GroupOverview& group;                       // as its brokers just answered; empty: none did
  std::optional<std::vector<NodeSigns>> nodes;      // by the leader's word; nothing: there is none
  std::optional<std::uint64_t> tasks_open;          // pending, assigned or processing
  std::optional<std::chrono::seconds> oldest_task;  // has waited for so long for a worker
  std::optional<double> failed_percent;             // of the tasks that ended lately
};
Health health_of(const ClusterSigns& signs);

}  // namespace cidbus
