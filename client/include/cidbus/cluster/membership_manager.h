// Who is in a cluster: a table of its members, by their heartbeats, and what silence says about each.
//
// By itself it is told of heartbeats with handle_heartbeat(). Given to a ClusterCoordinator it is kept by
// what the cluster's leader says of every node, twice a second. This node is a member of its own table.
//
// A member is joining at its first heartbeat and alive at the second, suspect after half the timeout of
// silence and dead after all of it; a heartbeat of a later incarnation brings it back.
//
// Invariants
//  1. Each change of a member's state is told to the callback once, in order.
//  2. After shutdown() nothing is called, and no thread is left.
//
// Thread rule: any thread. The callback runs on a thread of the library's, without any lock held; it must not
// throw. Limits: 10,000 members; those that left are forgotten first, the oldest first.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "cidbus/cluster/value.h"

namespace cidbus::v1 {

using Seconds = std::chrono::duration<double>;

struct MembershipOptions {
  std::string cluster_id;  // heartbeats of another one are refused
  std::string node_id;     // this node
  // How often its members mean to send heartbeats. It moves nothing here: what silence means follows from
  // node_timeout alone.
  Seconds heartbeat_interval{30};
  Seconds node_timeout{90};  // of silence, after which a member is dead
  // "joining", "alive", "suspect", "left" or "dead", and the member as get_active_members() gives it.
  std::function<void(const std::string& state, const Dict& member)> membership_callback = {};
};

class MembershipManager {
 public:
  explicit MembershipManager(MembershipOptions options);
  ~MembershipManager();
  MembershipManager(const MembershipManager&) = delete;
  MembershipManager& operator=(const MembershipManager&) = delete;

  // {"node_id", "role", "incarnation", "cluster_id", ...}: whatever else is there is kept with the member; a
  // role that is missing is worker, an incarnation 0. A "state" of left or dead is the member's goodbye; one
  // of suspect is no sign of life, but word that there is none.
  // BadUsage for one without a node's name; NotAllowed for one of another cluster, or of an incarnation that
  // has been followed by another.
  Status handle_heartbeat(const Dict& heartbeat);

  // [{"node_id", "role", "state", "last_seen", ...}], last_seen in seconds since the epoch; joining, alive
  // and suspect ones, this node included.
  [[nodiscard]] List get_active_members() const;
  // Likewise those that left or died.
  [[nodiscard]] List get_departed_members() const;
  // {"active", "departed", "total"}
  [[nodiscard]] Dict get_member_count() const;

  // Stops its thread; the table stays as it is. Safe to call again.
  void shutdown();

 private:
  struct State;
  const std::shared_ptr<State> state_;  // shared with its thread, which may outlive this inside a callback
};

}  // namespace cidbus::v1
