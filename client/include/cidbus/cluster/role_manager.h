// Which role a node has, whether its machine can carry it, and the role itself, run in this process.
//
//   cidbus::RoleManager node({.node_id = "g1", .initial_role = cidbus::NodeRole::Gateway});
//   node.join_cluster("home", "127.0.0.1:9096").value();
//
// What create_cluster() and join_cluster() start is the role of cidbus-broker, cidbus-worker and so on, with
// the settings that get_role_config() tells under "config_overrides". An observer prints what it sees. A node
// that joined takes orders to change its role, as cidbus-node does: assign_role_to_peer() of others, `cidbus
// role set`, an accepted role_change; unless switching is off.
//
// Invariants
//  1. A role that was asked for is kept; detection chooses only where none was.
//  2. After shutdown() nothing runs.
//
// Thread rule: any thread; a call that changes something holds up others that do, and none that asks.
// Callbacks run on the calling thread or one of the library's, with no lock held. They may ask; what would
// change the node or a role is BadUsage there, and shutdown() does nothing. shutdown() ends what is under
// way. Limits: 127.0.0.1 only without keys (docs/keys.md).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cidbus/cluster/membership_manager.h"
#include "cidbus/cluster/value.h"

namespace cidbus::v1 {

enum class NodeRole { Master, Worker, Leecher, Gateway, Observer };
std::string_view to_text(NodeRole role);  // "master", …
// In any case. BadUsage lists the roles there are.
Result<NodeRole> node_role_from_string(std::string_view text);

struct RoleManagerOptions {
  std::string node_id = {};                             // empty: one is made
  std::optional<NodeRole> initial_role = std::nullopt;  // nothing: detected, or leecher without auto_detect
  // "memory_available_mb", "disk_available_gb", "cpu_count", "bandwidth_mbps", "uptime_hours": taken for what
  // the machine has, in the place of what is measured.
  Dict resources = {};
  Dict metadata = {};  // told by get_node_info()
  bool auto_detect = true;
  bool role_switching_enabled = true;
  // {"old_role", "new_role", "config"}, after each change of the role; old_role is null for the first.
  std::function<void(const Dict& change)> configuration_callback = {};
  // [{"cluster_id", "address"}]: clusters that a node in none may look at.
  std::function<List()> cluster_discovery_callback = {};
  std::string data = {};  // folder of what the role keeps; empty: as a ClusterCoordinator's
  // Of the role, such as {"http", "127.0.0.1:8080"}: any flag of its program, without the dashes.
  Dict settings = {};
  std::string key_file = {};    // of cidbus keygen; empty: CIDBUS_KEY_FILE, or no keys, and loopback only
  std::string allow_file = {};  // the allow-list; empty: CIDBUS_ALLOW_FILE, or `allow` beside the key
};

class RoleManager {
 public:
  // BadUsage of resources that are no numbers, and of a machine that can carry no role, is told by status().
  explicit RoleManager(RoleManagerOptions options);
  ~RoleManager();
  RoleManager(const RoleManager&) = delete;
  RoleManager& operator=(const RoleManager&) = delete;

  [[nodiscard]] Status status() const;
  [[nodiscard]] NodeRole role() const;
  // Whether the role has it; false for one that is not known.
  [[nodiscard]] bool can_handle_capability(std::string_view capability) const;
  // {"description", "required_resources", "capabilities", "config_overrides"} of the role; a copy.
  [[nodiscard]] Dict get_role_config() const;
  // {"node_id", "cluster_id", "role", "resources", "capabilities", "uptime", "metadata", "address", "roles":
  // {role:
  // {"possible", "score", "limit"}}}; uptime in seconds, of this object.
  [[nodiscard]] Dict get_node_info() const;

  // NotAllowed, naming the factor, when the machine cannot carry it; when switching is off; when others still
  // need what this node is: the broker that it created the cluster with, or its last worker. What only a role
  // that runs has goes to other nodes first; then it is stopped in order, and the other one started.
  Status switch_role(NodeRole role);

  // A master: starts its broker, and returns once it leads; with "group" among its settings, the same at each
  // master, once one of the group does.
  Status create_cluster(const std::string& cluster_id = "cidbus");
  // All others: starts the role, and returns once it is a member.
  Status join_cluster(const std::string& cluster_id, const std::string& master_address);
  // HOST:PORT of the broker; empty in no cluster.
  [[nodiscard]] std::string address() const;

  // {"cluster_id", "node_id", "role", "leader", "members", ...} as a ClusterCoordinator's.
  [[nodiscard]] Dict get_cluster_status();
  // The other members of the cluster, as they are in get_cluster_status(); in no cluster, those of the
  // clusters that cluster_discovery_callback names, with "cluster_id" and "address".
  [[nodiscard]] Result<List> discover_peers();
  // Changes the role of another node that was started by a RoleManager or by cidbus-node, and returns once it
  // is in it. NotAllowed says why not: no such node, a machine that cannot carry it, and, unless forced, the
  // last worker or a broker that the quorum needs. Failed: it stays what it is.
  Status assign_role_to_peer(const std::string& peer, NodeRole role, bool force = false);
  // Whether the key is one that the allow-list gives to this name. NotFound without one.
  [[nodiscard]] Result<bool> authenticate_peer(const std::string& peer, const std::string& public_key) const;
  // Whether the allow-list lets the name in, in that role. Without one, whether it is a member now: the
  // cluster believes whoever is on this machine.
  [[nodiscard]] Result<bool> is_peer_authorized(const std::string& peer,
                                                std::optional<NodeRole> in_role = std::nullopt);

  void shutdown();

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace cidbus::v1
