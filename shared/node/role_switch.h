// Whether a node should change its role by itself: when what it measures has asked for it for long enough.
//
// The newest `window` measurements of what each role must have (memory and disk, over what it asks) are laid
// along a straight line by least squares. A role is lost when the whole window on average, and the line at
// its end, lie below 1 - stability; a higher one is won when both lie above 1 + stability. So neither a spike
// nor a dip moves anything, nor does a shortage that is passing already. Rejected: the first and the last
// measurement, which two spikes can forge.
//
// Invariants
//  1. Between 1 - stability and 1 + stability nothing changes, in either direction.
//  2. After a change, or one that did not come about, the role's cool-down passes and a whole window is
//     measured first.
//  3. It asks only for roles that may be chosen without being asked for, for master only while a broker
//     is wanted.
//
// Thread rule: pure; one owner. Limits: `window` measurements a role.
#pragma once

#include <array>
#include <deque>
#include <optional>
#include <string>

#include "shared/node/role_policy.h"

namespace cidbus {

class RoleSwitch {
 public:
  static constexpr std::size_t window = 5;
  struct Wish {
    Role role;
    std::string reason;  // one line, for a person
  };

  RoleSwitch(const RoleProfiles& profiles, Monotonic now, Role role, bool broker_wanted);

  // The role it should have instead, if any.
  [[nodiscard]] std::optional<Wish> measure(Monotonic now, const Machine& machine);
  // It is in this role from now on, whether it asked for it, or asked for another one in vain.
  void settle(Monotonic now, Role role);
  // When the next measurement is due.
  [[nodiscard]] Monotonic next() const { return next_; }

 private:
  struct Sample {
    Monotonic at;
    std::array<double, node_role_count> ratios;
  };
  // Of a role: what it has over what it asks, over the window.
  struct Trend {
    double average = 0;
    double end = 0;
    [[nodiscard]] bool below(double bound) const { return average < bound && end < bound; }
    [[nodiscard]] bool above(double bound) const { return average >= bound && end >= bound; }
  };
  [[nodiscard]] Trend trend_of(Role role) const;
  [[nodiscard]] bool may_take(const RoleProfile& profile) const;
  [[nodiscard]] std::optional<Wish> higher(const Machine& machine) const;
  [[nodiscard]] std::optional<Wish> lower(const Machine& machine) const;

  const RoleProfiles& profiles_;
  const bool broker_wanted_;
  Role role_;
  Monotonic settled_;
  Monotonic next_;
  std::deque<Sample> samples_;  // since it settled
};

}  // namespace cidbus
