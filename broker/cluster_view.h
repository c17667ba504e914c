// The cluster at one moment, as its leader tells it to those who ask.
//
// Thread rule: pure. Limits: limits::members.
#pragma once

#include <string_view>
#include <vector>

#include "broker/cluster/membership.h"
#include "broker/tasks/state_machine.h"
#include "shared/core/message.h"

namespace cidbus {

// Members and tasks; what else a Snapshot says is its sender's to add. Views live as long as the membership.
Snapshot snapshot_of(const Membership& membership, const StateMachine& state);
// A broker is a member of its own cluster.
Member self_as_member(std::string_view name, Incarnation incarnation, WallTime started_at, WallTime now);
std::vector<std::uint64_t> tasks_by_state(const StateMachine& state);

}  // namespace cidbus
