// What each role asks of a machine, and how quickly it may be changed: the table of roles.
//
// The minimums are hard: below one of them the machine cannot carry the role. What is wanted is not; it
// counts in the score. Every number can be set, under [role.NAME] of a configuration file
// (shared/settings/role_settings.h).
//
// Thread rule: values. Limits: none.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "shared/base/time.h"
#include "shared/core/node.h"

namespace cidbus {

struct RoleProfile {
  Role role = Role::Worker;
  std::uint64_t minimum_memory_mb = 0;  // MiB that are available to it
  std::uint64_t minimum_disk_gb = 0;    // GiB likewise
  double wanted_cores = 0;
  std::uint32_t wanted_mbit = 0;  // a second, of its link
  std::uint32_t wanted_uptime_h = 0;
  bool automatic = false;  // it may be chosen without being asked for
  Duration check_every{};  // how often a node in this role is measured
  double stability = 0;    // by how much of what it asks a machine must be better or worse to change its role
  Duration cool_down{};    // after a change, before the next one
  std::vector<std::string_view> capabilities;
};

// Master, worker, leecher, gateway, observer: the order in which detection prefers them.
inline constexpr std::size_t node_role_count = 5;
using RoleProfiles = std::array<RoleProfile, node_role_count>;

// As they are without configuration.
[[nodiscard]] RoleProfiles default_profiles();
// REQUIRES: not Role::Client.
[[nodiscard]] RoleProfile& profile_of(RoleProfiles& profiles, Role role);
[[nodiscard]] const RoleProfile& profile_of(const RoleProfiles& profiles, Role role);

}  // namespace cidbus
