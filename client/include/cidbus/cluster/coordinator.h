// A node of a cluster inside one's program: it submits tasks, runs those it has handlers for, proposes and
// votes, and knows who leads.
//
//   cidbus::ClusterCoordinator master({.cluster_id = "home", .node_id = "m1", .is_master = true});
//   master.create_cluster().value();
//   cidbus::ClusterCoordinator worker({.cluster_id = "home", .node_id = "w1"});
//   worker.register_task_handler("shout", shout).value();
//   worker.join_cluster("home", master.address()).value();
//   const auto id = master.submit_task({{"type", "shout"}, {"text", "hello"}}).value();
//
// A master runs a broker, the one of cidbus-broker, in this process, alone or one of a `group` of masters, of
// which the others lead on when one is gone; the others join one, and are workers as
// cidbus-worker is: they store blocks and run the standard task types too. A master is one besides, named
// NODE-worker, from its first handler on. Everything else that speaks the protocol joins as well.
//
// Invariants
//  1. A task has its id once the broker has it on disk.
//  2. After shutdown() nothing runs: no thread, no socket, no callback. What was accepted stays in the
//     broker's journal, and goes on when a coordinator is made with the same data.
//
// Thread rule: any thread, many at once. Handlers run on as many threads as there are slots; callbacks on a
// thread of the library's, and must not throw. shutdown() and destruction not from a handler. No thread can
// be ended from outside: a handler that does not return when its task was handed back, after `drain`, holds
// shutdown() up until it does.
// Limits: those of Client and Worker; 127.0.0.1 only without keys (docs/keys.md).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "cidbus/cluster/membership_manager.h"
#include "cidbus/cluster/value.h"
#include "cidbus/task.h"

namespace cidbus::v1 {

// Gets the task as it was submitted; what it gives is the task's result. TryAgain, TimedOut, Unavailable and
// NotFound ask for another try; other faults, and exceptions, fail the task with their message.
using TaskHandler = std::function<Result<Dict>(const Dict& task)>;

struct CoordinatorOptions {
  std::string cluster_id;
  std::string node_id;  // the only one of it in the cluster: 1 to 64 of A-Z a-z 0-9 . _ -
  bool is_master = false;
  Seconds election_timeout{30};  // how long joining and creating wait for a leader
  // Who leads now, empty for nobody, and whether that is this node; at each change.
  std::function<void(const std::string& leader, bool is_self)> leadership_callback = {};
  // Is kept by what the leader says of every member. The coordinator shares it and does not shut it down.
  std::shared_ptr<MembershipManager> membership_manager = {};
  // HOST:PORT of a master's broker, which takes the five ports above too. Empty: 127.0.0.1:9096, or the next
  // free ones; address() says which.
  std::string address = {};
  // Folder of journal and blocks. Empty: CLUSTER/NODE below $XDG_STATE_HOME/cidbus/library, or
  // ~/.local/state/cidbus/library.
  std::string data = {};
  unsigned slots = 2;  // tasks it runs at once
  Seconds drain{30};   // that running tasks get at shutdown(), before they are handed back
  // Of a master that is one of several: all of them, the same at each, NAME=HOST:PORT/PRIORITY with commas
  // between. Any majority of them is a cluster; the highest priority leads.
  std::string group = {};
  std::string key_file = {};    // of cidbus keygen; empty: CIDBUS_KEY_FILE, or no keys, and loopback only
  std::string allow_file = {};  // the allow-list; empty: CIDBUS_ALLOW_FILE, or `allow` beside the key
  std::string exchange = "127.0.0.1:*";  // HOST:PORT where it serves blocks; * for a free port
};

class ClusterCoordinator {
 public:
  explicit ClusterCoordinator(CoordinatorOptions options);
  ~ClusterCoordinator();
  ClusterCoordinator(const ClusterCoordinator&) = delete;
  ClusterCoordinator& operator=(const ClusterCoordinator&) = delete;

  // Starts the broker, and returns once it leads; of a group, once one of its brokers does, which takes a
  // majority of them. BadUsage when this is no master, or is in a cluster; TryAgain when another process has
  // the folder or the address.
  Status create_cluster(const std::string& cluster_id = {});  // empty: that of the options
  // Returns once this node is a member; a master of a group as create_cluster() does. Unavailable when no
  // broker answers within election_timeout, NotAllowed when it is of another cluster, or another node has the
  // name.
  Status join_cluster(const std::string& cluster_id, const std::string& master_address);
  // HOST:PORT of the broker it created or joined; empty before.
  [[nodiscard]] std::string address() const;

  // Any dict with a text under "type"; "cid" or "cids" are its content, "parameters" what the standard types
  // take (docs/library.md). The id, once it is accepted. BadUsage for what cannot be a task, and for
  // a type that no worker has ever offered, once one has come: it is a slip of the pen more often than a task
  // for a node of tomorrow. Before the first worker comes, any type is taken.
  [[nodiscard]] Result<std::string> submit_task(const Dict& task);
  // {"id", "status", "submitted_at", "assigned_to", "assigned_at", "completed_at", "result", "error"}. The
  // status of an id that is not known is "unknown", and the rest null.
  [[nodiscard]] Result<Dict> get_task_status(const std::string& id);
  // Offers a task type, in the place of the standard one of that name. A node that is in a cluster comes back
  // as another incarnation of its worker for it: register before joining where one can.
  Status register_task_handler(const std::string& type, TaskHandler handler);

  // "config_change" with {"key", "value"} (docs/config-keys.md; times in seconds or as "30s"), "role_change"
  // with {"node_id", "role"}, or "membership_change" with {"node_id", "action": "forbid" or "allow"}. The id.
  // BadUsage says what is wrong.
  [[nodiscard]] Result<std::string> propose_change(const std::string& type, const Dict& data);
  // In the place of a node that has not voted: true when the vote counts, or this node has voted so already.
  // Nodes vote by themselves: when this one had voted the other way, or has no vote, or the proposal is
  // decided, whether that is what came out: false while it is open. NotFound.
  [[nodiscard]] Result<bool> vote_on_proposal(const std::string& id, const std::string& node, bool yes);
  // {"id", "type", "data", "status": "pending", "accepted", "rejected" or "expired", "proposed_at",
  // "proposed_by", "decided_at", "votes": {"total", "positive", "negative", "eligible"}, "reasons"}; for
  // an id that is not known the status is "unknown", the votes are 0 and the rest is null.
  [[nodiscard]] Result<Dict> get_proposal_status(const std::string& id);

  // {"cluster_id", "node_id", "is_master", "is_leader", "leader", "address", "members", "brokers", "tasks":
  // {state: number}, "configuration": {key: value}, ...} as the leader sees it. Without a cluster, or a
  // leader, "leader" is null and "members" is empty.
  [[nodiscard]] Dict get_cluster_status();
  // {"status": "healthy", "warning", "critical" or "unknown", "issues": [text], "node_statuses": {name:
  // {"status", "issues", "role"}}}, by the rules of `cidbus cluster health`.
  [[nodiscard]] Dict get_health();

  // Hands back what runs, says goodbye, stops the broker. Safe to call again; a coordinator that was shut
  // down may create or join again.
  void shutdown();

 private:
  struct State;
  const std::shared_ptr<State> state_;  // shared with its thread, which may outlive this inside a callback
};

}  // namespace cidbus::v1
