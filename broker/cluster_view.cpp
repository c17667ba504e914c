#include "broker/cluster_view.h"

namespace cidbus {

std::vector<std::uint64_t> tasks_by_state(const StateMachine& state) {
  return {state.counts().begin(), state.counts().end()};
}

Snapshot snapshot_of(const Membership& membership, const StateMachine& state) {
  Snapshot snapshot;
  snapshot.applied = state.applied();
  for (const auto& [name, node] : membership.nodes()) snapshot.members.push_back(member_of(name, node));
  snapshot.tasks_by_state = tasks_by_state(state);
  return snapshot;
}

Member self_as_member(std::string_view name, Incarnation incarnation, WallTime started_at, WallTime now) {
  Membership::Node self;
  self.role = Role::Master;
  self.state = MemberState::Alive;
  self.incarnation = incarnation;
  self.joined_at = started_at;
  self.last_seen = now;
  return member_of(name, self);
}

}  // namespace cidbus
