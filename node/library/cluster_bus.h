// What a program asks of a cluster over the bus, from any thread: tasks, members, proposals.
//
// One session carries the tasks that are submitted; each question borrows a connection from a pool, so that
// one that waits holds up no other. Answers become dicts here, since their views live no longer than the
// message.
//
// Thread rule: any thread; destroyed with no call under way. Limits: limits::idle_connections are kept.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cidbus/cluster/value.h"
#include "client/library/task_submitter.h"
#include "shared/core/config_messages.h"
#include "shared/core/message.h"
#include "shared/io/node_options.h"
#include "shared/node/group_overview.h"

namespace cidbus {

class ClusterBus {
 public:
  // `name`: of the node that asks; its connections are named after it. REQUIRES: `brokers` are addresses.
  ClusterBus(const std::string& cluster, const std::string& name, std::vector<std::string> brokers,
             const KeyOptions& keys);
  ~ClusterBus();
  ClusterBus(const ClusterBus&) = delete;
  ClusterBus& operator=(const ClusterBus&) = delete;

  // Until somebody leads. Unavailable after `patience`, naming the addresses; NotAllowed when the brokers are
  // of another cluster.
  Status reach(Duration patience);
  // The id, once the task is durable. TimedOut when nobody said so for long: then nobody knows.
  Result<TaskId> submit(SubmissionOrder order);
  // Ends every submission and every question that is waited for, within a second, and takes no more.
  void close();
  [[nodiscard]] bool is_closed() const;
  // NotFound when the brokers do not know it.
  Result<TaskRecord> task(TaskId id);
  // Calls `take` with the cluster as its leader sees it; views live during the call.
  Status snapshot(Duration patience, const std::function<void(const Snapshot&)>& take);
  // What each broker says of itself.
  Result<GroupOverview> brokers();

  // Once the node is in the role. NotAllowed when it is refused, Failed when the node stays what it is.
  Status change_role(const std::string& node, Role role, bool force);
  // Whether it has an agent that changes its role when told.
  Result<bool> takes_orders(const std::string& node, Duration time);

  // The proposal as it stands then. BadUsage for what makes no sense.
  Result<v1::Dict> propose(ProposalKind kind, const std::string& subject, const std::string& value);
  Result<v1::Dict> vote(std::uint64_t proposal, const std::string& node, bool yes);
  // NotFound.
  Result<v1::Dict> proposal(std::uint64_t id);
  // Of keys that were voted on, as texts.
  Result<v1::Dict> configuration();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// {"node_id", "role", "state", "last_seen", "joined_at", "address", "slots", "busy", "blocks", "block_bytes",
// "disk_free_bytes", "resident_bytes", "labels"}
v1::Dict member_dict(const Member& member);
// {"cluster_id", "leader", "durability", "members", "brokers", "tasks": {state: number}, "blocks"}
v1::Dict snapshot_dict(const Snapshot& snapshot);

}  // namespace cidbus
