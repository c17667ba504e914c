#include "cidbus/cluster/coordinator.h"

#include <algorithm>
#include <mutex>
#include <thread>

#include "client/library/public_values.h"
#include "node/library/cluster_bus.h"
#include "node/library/hosted_broker.h"
#include "node/library/hosted_worker.h"
#include "node/library/proposal_dict.h"
#include "node/library/task_dict.h"
#include "node/library/ticker.h"
#include "shared/content/quote.h"
#include "shared/io/clock.h"
#include "shared/node/health.h"

namespace cidbus::v1 {
namespace {

using namespace std::chrono_literals;

constexpr auto looks_every = 500ms;  // at who leads, and at the members
constexpr auto look_time = 2s;       // that a leader has to answer then
constexpr int looks_in_vain = 3;     // and then nobody leads
constexpr auto asks_every = 20ms;    // while a node is not yet a member

Duration duration_of(Seconds seconds) {
  return std::chrono::duration_cast<Duration>(std::clamp(seconds, Seconds(0), Seconds(1e8)));
}

Fault in_no_cluster() {
  return {FaultKind::BadUsage, "this node is in no cluster; create or join one first"};
}

Status check(const CoordinatorOptions& options, const std::string& cluster) {
  for (const std::string& name : {options.node_id, cluster}) {
    if (!is_valid_name(name))
      return Fault{FaultKind::BadUsage,
                   in_quotes(name) + " cannot name a node or a cluster; use 1 to 64 of A-Z a-z 0-9 . _ -"};
  }
  if (options.slots < 1 || options.slots > 1000)
    return Fault{FaultKind::BadUsage, "a node has 1 to 1000 slots"};
  return {};
}

// A moment in the life of a cluster, for health and for those who watch.
struct Look {
  bool answered = false;
  Dict cluster;
  std::vector<NodeSigns> nodes;
  std::uint64_t tasks_open = 0;
};

Look look_at(ClusterBus& bus) {
  Look look;
  look.answered = bus.snapshot(look_time,
                               [&](const Snapshot& snapshot) {
                                 look.cluster = snapshot_dict(snapshot);
                                 for (const Member& member : snapshot.members)
                                   look.nodes.push_back(signs_of(member, read_clock().wall));
                                 for (std::size_t state = 0; state < snapshot.tasks_by_state.size(); ++state)
                                   if (!is_final(static_cast<cidbus::TaskState>(state)))
                                     look.tasks_open += snapshot.tasks_by_state[state];
                               })
                      .has_value();
  return look;
}

}  // namespace

struct ClusterCoordinator::State {
  explicit State(CoordinatorOptions given) : options(std::move(given)) {}

  // ---- coming and going: under `doing`, one at a time

  Status create(const std::string& given) {
    const std::lock_guard one_at_a_time(doing);
    if (!options.is_master)
      return Fault{FaultKind::BadUsage, "only a master creates a cluster; make this node one, or join one"};
    return start_broker(given.empty() ? options.cluster_id : given);
  }

  Status start_broker(const std::string& name) {
    if (Status ready = prepare(name); !ready) return ready;
    auto opened = open_hosted_broker(
        {name, options.node_id, folder + "/master", options.address, options.group, keys()});
    if (!opened) return to_public(opened.error());
    broker = std::move(opened->role);
    Status entered = enter(name, opened->address);
    if (!entered) leave();
    return entered;
  }

  [[nodiscard]] KeyOptions keys() const { return keys_of(options.key_file, options.allow_file); }

  Status join(const std::string& name, const std::string& master) {
    const std::lock_guard one_at_a_time(doing);
    if (Status place = check_cluster({master}, name); !place) return place;
    if (options.is_master && ("," + options.group).find('=' + master + '/') == std::string::npos)
      return Fault{FaultKind::BadUsage,
                   "a master creates its cluster, or is one of a group that names " + master +
                       "; give the group, the same at each, or make this node no master"};
    if (options.is_master) return start_broker(name);
    if (Status ready = prepare(name); !ready) return ready;
    Status entered = enter(name, master);
    if (!entered) leave();
    return entered;
  }

  Status prepare(const std::string& name) {
    if (current() != nullptr) return Fault{FaultKind::BadUsage, "this node is in a cluster already"};
    if (Status checked = check(options, name); !checked) return checked;
    const auto usual = usual_data_folder(name, options.node_id);
    if (options.data.empty() && !usual) return to_public(usual.error());
    folder = options.data.empty() ? *usual : options.data;
    return {};
  }

  Status enter(const std::string& name, const std::string& address) {
    auto reaching = std::make_shared<ClusterBus>(name, options.node_id, std::vector{address}, keys());
    if (const auto reached = reaching->reach(duration_of(options.election_timeout)); !reached)
      return to_public(reached.error());
    {
      const std::lock_guard guard(lock);
      bus = reaching;
      cluster = name;
      broker_address = address;
    }
    if (!options.is_master || !handlers.empty()) {
      if (Status works = start_worker(); !works) return works;
    }
    watch = std::make_unique<Ticker>();
    watch->start(looks_every, [self = weak_self] {
      if (const auto state = self.lock()) state->look();
    });
    return {};
  }

  void leave() {
    if (watch != nullptr) watch->stop();
    if (worker != nullptr) worker->stop();
    worker.reset();
    std::shared_ptr<ClusterBus> ending;
    {
      const std::lock_guard guard(lock);
      ending.swap(bus);
      broker_address.clear();
    }
    if (ending != nullptr) ending->close();
    if (broker != nullptr) static_cast<void>(stop_role(*broker));
    broker.reset();
    tell_leader("");
  }

  Status start_worker() {
    if (worker == nullptr) {
      const std::string name = options.is_master ? options.node_id + "-worker" : options.node_id;
      worker = std::make_unique<HostedWorker>(HostedWorkerOptions{cluster,
                                                                  name,
                                                                  {broker_address},
                                                                  folder + "/worker",
                                                                  options.slots,
                                                                  duration_of(options.drain),
                                                                  options.exchange,
                                                                  keys()});
    }
    if (const auto started = worker->start(handlers); !started) return to_public(started.error());
    return wait_until_member();
  }

  Status wait_until_member() {
    const Monotonic deadline = read_clock().monotonic + duration_of(options.election_timeout);
    bool taken = false;
    do {
      bool is_member = false;
      static_cast<void>(bus->snapshot(look_time, [&](const Snapshot& snapshot) {
        for (const Member& member : snapshot.members) {
          if (member.name != worker->name()) continue;
          is_member = member.incarnation == worker->incarnation();
          taken = !is_member && member.state <= MemberState::Suspect;
        }
      }));
      if (is_member) return {};
      std::this_thread::sleep_for(asks_every);
    } while (read_clock().monotonic < deadline);
    if (taken)
      return Fault{FaultKind::NotAllowed, "another node is in the cluster as " + in_quotes(worker->name()) +
                                              "; give this one another name"};
    return Fault{FaultKind::Unavailable, "the brokers at " + broker_address + " did not take node " +
                                             in_quotes(worker->name()) + " in within the time given"};
  }

  Status add_handler(const std::string& type, TaskHandler handler) {
    if (!is_valid_name(type))
      return Fault{FaultKind::BadUsage,
                   in_quotes(type) + " cannot name a task type; use 1 to 64 of A-Z a-z 0-9 . _ -"};
    const std::lock_guard one_at_a_time(doing);
    handlers[type] = std::move(handler);
    return current() == nullptr ? Status() : start_worker();
  }

  void shutdown() {
    const std::lock_guard one_at_a_time(doing);
    leave();
  }

  // ---- watching

  void look() {
    const auto asking = current();
    if (asking == nullptr) return;
    const Look look = look_at(*asking);
    // One that is slow to answer leads all the same.
    unanswered = look.answered ? 0 : unanswered + 1;
    if (unanswered != 0 && unanswered < looks_in_vain) return;
    const Value told(look.cluster);
    tell_leader(told["leader"].shown());
    if (options.membership_manager == nullptr || !look.answered) return;
    for (const Value& member : *told["members"].list())
      static_cast<void>(options.membership_manager->handle_heartbeat(*member.dict()));
  }

  void tell_leader(const std::string& now) {
    {
      const std::lock_guard guard(lock);
      if (leader == now) return;
      leader = now;
    }
    if (options.leadership_callback) options.leadership_callback(now, is_self(now));
  }

  [[nodiscard]] bool is_self(const std::string& name) const {
    return options.is_master && name == options.node_id;
  }

  [[nodiscard]] std::shared_ptr<ClusterBus> current() const {
    const std::lock_guard guard(lock);
    return bus;
  }

  const CoordinatorOptions options;
  std::weak_ptr<State> weak_self;

  std::mutex doing;  // of what comes and goes
  std::string folder;
  TaskHandlers handlers;
  std::unique_ptr<RunningRole> broker;   // null unless this is a master in a cluster
  std::unique_ptr<HostedWorker> worker;  // null while it runs no tasks
  std::unique_ptr<Ticker> watch;
  int unanswered = 0;  // looks in a row; the watch's own

  mutable std::mutex lock;          // of what follows; held for moments
  std::shared_ptr<ClusterBus> bus;  // null in no cluster; shared with calls under way
  std::string cluster;
  std::string broker_address;
  std::string leader;
};

ClusterCoordinator::ClusterCoordinator(CoordinatorOptions options)
    : state_(std::make_shared<State>(std::move(options))) {
  state_->weak_self = state_;
}

ClusterCoordinator::~ClusterCoordinator() { shutdown(); }

Status ClusterCoordinator::create_cluster(const std::string& cluster_id) {
  return state_->create(cluster_id);
}

Status ClusterCoordinator::join_cluster(const std::string& cluster_id, const std::string& master_address) {
  return state_->join(cluster_id, master_address);
}

std::string ClusterCoordinator::address() const {
  const std::lock_guard guard(state_->lock);
  return state_->broker_address;
}

Result<std::string> ClusterCoordinator::submit_task(const Dict& task) {
  const auto bus = state_->current();
  if (bus == nullptr) return in_no_cluster();
  auto order = order_of(task);
  if (!order) return order.error();
  const auto id = bus->submit(*std::move(order));
  if (!id) return to_public(id.error());
  return cidbus::to_text(*id);
}

Result<Dict> ClusterCoordinator::get_task_status(const std::string& id) {
  const auto bus = state_->current();
  if (bus == nullptr) return in_no_cluster();
  if (const auto known = parse_task_id(id)) {
    const auto task = bus->task(*known);
    if (task) return status_of(*task);
    if (task.error().kind != cidbus::FaultKind::NotFound) return to_public(task.error());
  }
  Dict unknown{{"id", id}, {"status", "unknown"}};
  for (const char* name :
       {"type", "submitted_at", "assigned_to", "assigned_at", "completed_at", "result", "error"})
    unknown.emplace(name, Value());
  return unknown;
}

Status ClusterCoordinator::register_task_handler(const std::string& type, TaskHandler handler) {
  return state_->add_handler(type, std::move(handler));
}

Result<std::string> ClusterCoordinator::propose_change(const std::string& type, const Dict& data) {
  const auto bus = state_->current();
  if (bus == nullptr) return in_no_cluster();
  const auto change = change_of(type, data);
  if (!change) return change.error();
  const auto proposal = bus->propose(change->kind, change->subject, change->value);
  if (!proposal) return to_public(proposal.error());
  return proposal->at("id").shown();
}

Result<bool> ClusterCoordinator::vote_on_proposal(const std::string& id, const std::string& node, bool yes) {
  const auto bus = state_->current();
  if (bus == nullptr) return in_no_cluster();
  const std::uint64_t number = parse_proposal_id(id);
  const auto voted = bus->vote(number, node, yes);
  if (voted) return true;
  if (voted.error().kind != cidbus::FaultKind::NotAllowed) return to_public(voted.error());
  const auto stands = bus->proposal(number);
  if (!stands) return to_public(stands.error());
  return stands->at("status").shown() == (yes ? "accepted" : "rejected");
}

Result<Dict> ClusterCoordinator::get_proposal_status(const std::string& id) {
  const auto bus = state_->current();
  if (bus == nullptr) return in_no_cluster();
  if (const std::uint64_t number = parse_proposal_id(id)) {
    auto proposal = bus->proposal(number);
    if (proposal) return *std::move(proposal);
    if (proposal.error().kind != cidbus::FaultKind::NotFound) return to_public(proposal.error());
  }
  Dict unknown{{"id", id}, {"status", "unknown"}, {"reasons", List{}}};
  for (const char* name : {"type", "data", "proposed_at", "proposed_by", "decided_at"})
    unknown.emplace(name, Value());
  unknown.emplace("votes", Dict{{"total", 0}, {"positive", 0}, {"negative", 0}, {"eligible", 0}});
  return unknown;
}

Dict ClusterCoordinator::get_cluster_status() {
  const auto bus = state_->current();
  const Look look = bus == nullptr ? Look{} : look_at(*bus);
  Dict status = look.cluster;
  if (look.answered) {
    if (auto configuration = bus->configuration()) status["configuration"] = *std::move(configuration);
  }
  const std::lock_guard guard(state_->lock);
  status["cluster_id"] = state_->cluster.empty() ? state_->options.cluster_id : state_->cluster;
  status["node_id"] = state_->options.node_id;
  status["is_master"] = state_->options.is_master;
  status["address"] = state_->broker_address;
  const std::string leader = Value(status)["leader"].shown();
  status["is_leader"] = state_->is_self(leader);
  status["leader"] = leader.empty() ? Value() : Value(leader);
  status.try_emplace("members", List{});
  return status;
}

Dict ClusterCoordinator::get_health() {
  const auto bus = state_->current();
  if (bus == nullptr)
    return {{"status", "unknown"}, {"issues", List{"this node is in no cluster"}}, {"node_statuses", Dict{}}};
  const auto group = bus->brokers();
  const GroupOverview brokers = group ? *group : GroupOverview();
  const Look look = look_at(*bus);
  ClusterSigns signs{brokers, {}, {}, {}, {}};
  if (look.answered) {
    signs.nodes = look.nodes;
    signs.tasks_open = look.tasks_open;
  }
  const auto dict_of = [](const Health& health) {
    return Dict{{"status", to_text(health.status)},
                {"issues", List(health.reasons.begin(), health.reasons.end())}};
  };
  Dict nodes;
  for (const NodeSigns& node : look.nodes) {
    Dict one = dict_of(health_of(node));
    one.emplace("role", to_text(node.role));
    nodes.emplace(node.name, std::move(one));
  }
  Dict health = dict_of(health_of(signs));
  health.emplace("node_statuses", std::move(nodes));
  return health;
}

void ClusterCoordinator::shutdown() { state_->shutdown(); }

}  // namespace cidbus::v1
