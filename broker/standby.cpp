#include "broker/standby.h"

#include "broker/broker_status.h"
#include "broker/cluster_view.h"
#include "broker/group_info.h"
#include "broker/rights.h"

namespace cidbus {

void Standby::on_message(Now now, ByteView routing_id, const Header& from, const Message& message,
                         const KeyHolder* holder, const StateMachine& state) {
  const auto* hello = std::get_if<Hello>(&message);
  if (hello != nullptr && key_refusal(holder, from.sender, hello->role).empty())
    nodes_.on_hello(now, from, *hello);
  if (const auto* asked = std::get_if<SnapshotRequest>(&message)) {
    if (may_ask(routing_id, holder)) tell_snapshot(now, routing_id, asked->request, state);
    return;
  }
  // Whoever asks goes to the leader, or tries again when there is one.
  voice_.send(as_text(routing_id), leader(now));
}

Redirect Standby::leader(Now now) const {
  const group::Seat seat = replica_.group().heard_leader(now.monotonic);
  if (seat == group::nobody || replica_.group().in_office()) return {{}, {}, addresses_of(options_.group)};
  const group::Member& member = replica_.group().config().at(seat);
  return {member.name, member.endpoint, addresses_of(options_.group)};
}

void Standby::tell_status(Now now, ByteView routing_id, const BrokerStatusRequest& asked,
                          const KeyHolder* holder, const StateMachine& state) {
  if (!may_ask(routing_id, holder)) return;
  BrokerStatus status = status_of(replica_, state, now);
  status.request = asked.request;
  voice_.send(as_text(routing_id), status);
}

void Standby::tell_snapshot(Now now, ByteView routing_id, RequestId request, const StateMachine& state) {
  Snapshot snapshot = snapshot_of(options_, replica_.group(), state, started_at_, now.wall);
  snapshot.request = request;
  snapshot.leader = leader(now).leader;
  for (BrokerInfo& broker : snapshot.brokers)
    broker.leader = !snapshot.leader.empty() && broker.name == snapshot.leader;
  for (Member& node : nodes_.members(now))
    if (!state.config().forbidden().contains(node.name)) snapshot.members.push_back(std::move(node));
  voice_.send(as_text(routing_id), snapshot);
}

bool Standby::may_ask(ByteView routing_id, const KeyHolder* holder) {
  if (holder == nullptr || !holder->roles.empty()) return true;
  voice_.refuse(routing_id, Refusal::NotAllowed, key_refusal(holder, {}, Role::Client));
  return false;
}

}  // namespace cidbus
