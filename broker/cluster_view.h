// The cluster at one moment, as a broker tells it to those who ask.
//
// Thread rule: pure. Limits: none of its own.
#pragma once

#include <vector>

#include "broker/broker.h"
#include "broker/consensus/group.h"
#include "broker/tasks/state_machine.h"
#include "shared/core/message.h"

namespace cidbus {

// Of the group, the tasks, and the broker itself, which is a member of its own cluster; who leads, other
// members and blocks are its sender's to add. Views live as long as the options and the group.
Snapshot snapshot_of(const BrokerOptions& options, const group::Group& group, const StateMachine& state,
                     WallTime started_at, WallTime now);
std::vector<std::uint64_t> tasks_by_state(const StateMachine& state);

}  // namespace cidbus
