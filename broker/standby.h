// What any broker answers, whether it leads or not: how it stands, who leads, and, while it does not lead,
// the cluster as far as it knows it.
//
// Invariants
//  1. It names a leader only while it hears one, and never itself.
//  2. What only a leader knows, of members and blocks, is not made up: members are those that it heard.
//
// Thread rule: the driver's; no clock, no socket, no file. Limits: those of HeardNodes.
#pragma once

#include "broker/broker.h"
#include "broker/cluster/heard_nodes.h"
#include "broker/replica.h"
#include "broker/voice.h"
#include "shared/core/key_holder.h"

namespace cidbus {

class Standby {
 public:
  // All of it outlives this.
  Standby(const BrokerOptions& options, Voice& voice, const Replica& replica, WallTime started_at)
      : options_(options), voice_(voice), replica_(replica), started_at_(started_at) {}

  // A message that this broker cannot serve as a leader: nothing is known to be committed here. `holder`: of
  // the key it came with, null where no keys are in use.
  void on_message(Now now, ByteView routing_id, const Header& from, const Message& message,
                  const KeyHolder* holder, const StateMachine& state);
  // Another broker's feed, or what that one passes on.
  void on_feed(Now now, const Feed& feed) { nodes_.on_feed(now, feed); }
  // Of any broker, to whoever may speak at all.
  void tell_status(Now now, ByteView routing_id, const BrokerStatusRequest& asked, const KeyHolder* holder,
                   const StateMachine& state);
  [[nodiscard]] Redirect leader(Now now) const;

 private:
  void tell_snapshot(Now now, ByteView routing_id, RequestId request, const StateMachine& state);
  [[nodiscard]] bool may_ask(ByteView routing_id, const KeyHolder* holder);

  const BrokerOptions& options_;
  Voice& voice_;
  const Replica& replica_;
  WallTime started_at_;  // of the process
  HeardNodes nodes_;
};

}  // namespace cidbus
