#include "broker/cluster_view.h"

#include "broker/group_info.h"

namespace cidbus {

std::vector<std::uint64_t> tasks_by_state(const StateMachine& state) {
  return {state.counts().begin(), state.counts().end()};
}

Snapshot snapshot_of(const BrokerOptions& options, const group::Group& group, const StateMachine& state,
                     WallTime started_at, WallTime now) {
  Snapshot snapshot;
  snapshot.cluster = options.cluster;
  snapshot.durability = options.group.durability;
  snapshot.applied = state.applied();
  snapshot.brokers = brokers_of(group, state.applied());
  snapshot.tasks_by_state = tasks_by_state(state);
  Member self;
  self.name = options.group.at(options.group.self()).name;
  self.role = Role::Master;
  self.state = MemberState::Alive;
  self.incarnation = options.incarnation;
  self.joined_at = started_at;
  self.last_seen = now;
  self.load.config_version = state.config().version();
  snapshot.members.push_back(self);
  return snapshot;
}

}  // namespace cidbus
