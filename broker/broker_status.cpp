#include "broker/broker_status.h"

#include "broker/group_info.h"

namespace cidbus {
namespace {

Duty duty_of(const group::Group& group, Monotonic now) {
  if (group.in_office()) return Duty::Leader;
  return group.heard_leader(now) == group::nobody ? Duty::Electing : Duty::Standby;
}

}  // namespace

BrokerStatus status_of(const Replica& replica, const StateMachine& state, Now now) {
  const group::Group& group = replica.group();
  const group::GroupConfig& config = group.config();
  BrokerStatus status;
  status.name = config.at(config.self()).name;
  status.duty = duty_of(group, now.monotonic);
  const group::Seat leader = group.heard_leader(now.monotonic);
  if (leader != group::nobody) status.leader = config.at(leader).name;
  status.epoch = group.epoch();
  status.last = group.log().last().index;
  status.durable = group.log().durable();
  status.commit = group.commit();
  status.applied = state.applied();
  status.config_version = state.config().version();
  status.durability = config.durability;
  status.trust = group.comparison().trust();
  status.agreed = group.comparison().agreed();
  const auto addresses = addresses_of(config);
  for (std::size_t at = 0; at < config.size(); ++at) {
    const auto seat = static_cast<group::Seat>(at);
    BrokerPeer peer{addresses[at].name, addresses[at].endpoint, config.at(seat).priority, {}, {}};
    const bool itself = seat == config.self();
    if (itself) peer.durable = status.durable;
    if (!itself && group.in_office()) peer.durable = group.replication().follower(seat).durable;
    peer.last_contact = itself ? now.wall : replica.last_contact(seat);
    status.brokers.push_back(peer);
  }
  return status;
}

}  // namespace cidbus
