// Which roles a machine can carry, how well, what limits each, and which one it should have.
//
// A machine is as good for a role as its scarcest resource: the score is the smallest of what it has over
// what the role asks, 1 at the most, and that resource is the limiting factor. Rejected: a weighted sum, in
// which many cores would pay for a missing disk.
//
// Invariants
//  1. A role is possible exactly when its minimums of memory and disk hold; cores, link and uptime only
//     score.
//  2. What is not known (a link without a speed) neither scores nor limits.
//  3. The chosen role is the first possible one, in the order of the profiles, that may be chosen without
//     being asked for; master only while the cluster wants a broker.
//
// Thread rule: pure. Limits: none.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "shared/node/machine.h"
#include "shared/node/role_profile.h"

namespace cidbus {

enum class Resource : std::uint8_t { Memory, Disk, Cores, Link, Uptime };
[[nodiscard]] std::string_view to_text(Resource resource);

struct RoleFit {
  Role role = Role::Worker;
  bool possible = false;
  double score = 0;  // 0 to 1: 1 has all that the role asks
  double ratio = 0;  // of the limiting factor, has over asks, without the bound of 1
  Resource limiting = Resource::Memory;
  double has = 0;  // of it, in the unit of text_of()
  double asks = 0;
};
// "memory 800 of 1024 MB", "uptime 1.5 of 4 h"
[[nodiscard]] std::string text_of(const RoleFit& fit);

[[nodiscard]] RoleFit fit_of(const Machine& machine, const RoleProfile& profile);

struct Detection {
  std::array<RoleFit, node_role_count> fits;
  std::optional<Role> chosen;  // nothing: the machine can carry none
  std::string reason;          // one line, for a person
};
// `broker_wanted`: the cluster has fewer brokers than it wants.
[[nodiscard]] Detection detect_role(const Machine& machine, const RoleProfiles& profiles, bool broker_wanted);

// Why the machine cannot carry the role, naming the factor; empty when it can.
[[nodiscard]] std::string role_refusal(const Machine& machine, const RoleProfile& profile);

}  // namespace cidbus
