#include "node/library/cluster_bus.h"

#include <atomic>
#include <future>
#include <mutex>

#include "client/library/task_questions.h"
#include "node/library/task_dict.h"
#include "shared/base/limits/library.h"
#include "shared/base/limits/links.h"
#include "shared/base/limits/times.h"
#include "shared/io/bus_asker.h"
#include "shared/io/clock.h"
#include "shared/io/pool.h"
#include "shared/io/random.h"
#include "shared/node/config_keys.h"

namespace cidbus {
namespace {

constexpr auto patience = std::chrono::seconds(30);      // of a question, while leaders change
constexpr auto role_patience = std::chrono::minutes(5);  // of a change: draining, handing over
constexpr auto acceptance = std::chrono::seconds(60);    // that a task waits for a broker

std::string value_text(const Proposal& proposal) {
  if (proposal.kind == ProposalKind::RoleChange)
    return std::string(to_text(static_cast<Role>(proposal.value)));
  if (proposal.kind == ProposalKind::MembershipChange) return proposal.value == 0 ? "allow" : "forbid";
  const auto key = find_config_key(proposal.subject);
  return key ? config_value_text(info_of(*key), proposal.value) : std::to_string(proposal.value);
}

v1::Dict proposal_dict(const Proposal& proposal) {
  const v1::Dict votes{{"total", std::uint64_t{proposal.yes} + proposal.no},
                       {"positive", proposal.yes},
                       {"negative", proposal.no},
                       {"eligible", proposal.eligible}};
  const bool is_key = proposal.kind == ProposalKind::ConfigChange;
  const char* const subject = is_key ? "key" : "node_id";
  const char* const value = is_key ? "value" : proposal.kind == ProposalKind::RoleChange ? "role" : "action";
  v1::List reasons;
  for (const VoteInfo& vote : proposal.votes)
    if (!vote.reason.empty()) reasons.emplace_back(std::string(vote.voter) + ": " + std::string(vote.reason));
  return {{"id", std::to_string(proposal.id)},
          {"type", to_text(proposal.kind)},
          {"data", v1::Dict{{subject, proposal.subject}, {value, value_text(proposal)}}},
          {"status", to_text(proposal.status)},
          {"proposed_at", v1::seconds_of(proposal.proposed_at)},
          {"proposed_by", proposal.proposer},
          {"decided_at", v1::seconds_of(proposal.decided_at)},
          {"votes", votes},
          {"reasons", std::move(reasons)}};
}

// Takes the one proposal that an answer holds.
class TakeProposal {
 public:
  bool operator()(const Message& message) {
    const auto* answer = std::get_if<Proposals>(&message);
    if (answer == nullptr || answer->request != request_) return false;
    if (!answer->proposals.empty()) dict_ = proposal_dict(answer->proposals.front());
    return true;
  }
  TakeProposal(RequestId request, std::optional<v1::Dict>& dict) : request_(request), dict_(dict) {}

 private:
  const RequestId request_;
  std::optional<v1::Dict>& dict_;
};

}  // namespace

struct ClusterBus::State {
  State(const std::string& cluster, const std::string& name, std::vector<std::string> addresses,
        const KeyOptions& keys)
      : context(trust_or_fault(keys)),
        askers(limits::idle_connections,
               [=, this] {
                 return std::make_unique<BusAsker>(context, client_identity(cluster, name), addresses,
                                                   [this] { return closed.load(); });
               }),
        submitter(std::make_shared<TaskSubmitter>(context, client_identity(cluster, name), addresses)) {}

  Status hand_in(SubmissionOrder order) {
    std::shared_ptr<TaskSubmitter> taker;
    {
      const std::lock_guard guard(lock);
      taker = submitter;
    }
    if (taker == nullptr) return fault(FaultKind::Unavailable, "this node has left its cluster");
    return taker->submit(std::move(order), patience);
  }

  // `question` is made of the number it gets.
  template <typename Question, typename Take>
  Status ask(Duration time, const Question& question, const Take& take) {
    const auto asker = askers.borrow();
    const RequestId request = asker->next_request();
    return asker->ask(question(request), read_clock().monotonic + time,
                      [&](const Message& message) { return take(request, message); });
  }

  template <typename Question>
  Result<v1::Dict> ask_proposal(const Question& question, const std::string& unknown) {
    std::optional<v1::Dict> dict;
    const Status asked = ask(patience, question, [&](RequestId request, const Message& message) {
      return TakeProposal(request, dict)(message);
    });
    if (!asked) return tl::unexpected(asked.error());
    if (!dict) return fault(FaultKind::NotFound, unknown);
    return *std::move(dict);
  }

  std::atomic<bool> closed = false;
  SocketContext context;
  Pool<BusAsker> askers;
  std::mutex lock;
  std::shared_ptr<TaskSubmitter> submitter;  // null once closed; shared with who hands in just now
};

ClusterBus::ClusterBus(const std::string& cluster, const std::string& name, std::vector<std::string> brokers,
                       const KeyOptions& keys)
    : state_(std::make_unique<State>(cluster, name, std::move(brokers), keys)) {}
ClusterBus::~ClusterBus() = default;

Status ClusterBus::reach(Duration time) {
  return state_->ask(
      time, [](RequestId) { return Ping{}; },
      [](RequestId, const Message& message) { return std::holds_alternative<Pong>(message); });
}

Result<TaskId> ClusterBus::submit(SubmissionOrder order) {
  const auto accepted = std::make_shared<std::promise<Result<TaskId>>>();
  order.accepted = [accepted](const Result<TaskId>& id) { accepted->set_value(id); };
  order.ended = [](const Result<TaskRecord>&) {};
  auto future = accepted->get_future();
  if (Status taken = state_->hand_in(std::move(order)); !taken) return tl::unexpected(taken.error());
  if (future.wait_for(acceptance) == std::future_status::ready) return future.get();
  return fault(
      FaultKind::TimedOut,
      "no broker said that it has the task, and it may have it; submit with a 'key' to be able to repeat");
}

bool ClusterBus::is_closed() const { return state_->closed; }

void ClusterBus::close() {
  state_->closed = true;
  std::shared_ptr<TaskSubmitter> ending;
  const std::lock_guard guard(state_->lock);
  ending.swap(state_->submitter);
}

Result<TaskRecord> ClusterBus::task(TaskId id) {
  const auto asker = state_->askers.borrow();
  const AskLeader ask = [&](const Message& message, const TakeAnswer& take) {
    return asker->ask(message, read_clock().monotonic + patience, take);
  };
  return show_task(ask, asker->next_request(), id);
}

Status ClusterBus::snapshot(Duration time, const std::function<void(const Snapshot&)>& take) {
  return state_->ask(
      time, [](RequestId request) { return SnapshotRequest{request}; },
      [&](RequestId request, const Message& message) {
        const auto* snapshot = std::get_if<Snapshot>(&message);
        if (snapshot == nullptr || snapshot->request != request) return false;
        take(*snapshot);
        return true;
      });
}

Result<GroupOverview> ClusterBus::brokers() {
  GroupOverview group;
  const auto asker = state_->askers.borrow();
  const Monotonic deadline = read_clock().monotonic + limits::status_answer_time;
  const Status asked = asker->ask_brokers(deadline, [&](const BrokerStatus& status) {
    group.add(status);
    return group.complete();
  });
  if (!asked) return tl::unexpected(asked.error());
  return group;
}

Result<v1::Dict> ClusterBus::propose(ProposalKind kind, const std::string& subject,
                                     const std::string& value) {
  const std::uint64_t token = random_seed();
  return state_->ask_proposal(
      [&](RequestId request) {
        return Propose{request, token, kind, subject, value, std::chrono::milliseconds(0)};
      },
      "the brokers took no proposal");
}

Result<v1::Dict> ClusterBus::vote(std::uint64_t proposal, const std::string& node, bool yes) {
  return state_->ask_proposal(
      [&](RequestId request) {
        return CastVote{request, proposal, node, yes, {}};
      },
      "there is no proposal " + std::to_string(proposal));
}

Status ClusterBus::change_role(const std::string& node, Role role, bool force) {
  const std::uint64_t token = random_incarnation().value | 1;
  Status ended;
  const Status asked = state_->ask(
      role_patience, [&](RequestId request) { return RoleChange{request, token, node, role, force, 0}; },
      [&](RequestId request, const Message& message) {
        const auto* answer = std::get_if<RoleChangeAnswer>(&message);
        if (answer == nullptr || answer->request != request) return false;
        if (answer->outcome == RoleChangeOutcome::Refused)
          ended = fault(FaultKind::NotAllowed, std::string(answer->reason));
        else if (answer->outcome == RoleChangeOutcome::Failed)
          ended = fault(FaultKind::Failed, node + " stays what it is: " + std::string(answer->reason));
        return true;
      });
  return asked ? ended : asked;
}

Result<bool> ClusterBus::takes_orders(const std::string& node, Duration time) {
  bool takes = false;
  const Status asked = state_->ask(
      time,
      [&](RequestId request) {
        return RoleQuery{request, node};
      },
      [&](RequestId request, const Message& message) {
        const auto* answer = std::get_if<RoleReports>(&message);
        if (answer == nullptr || answer->request != request) return false;
        takes = !answer->nodes.empty() && answer->nodes.front().changes;
        return true;
      });
  if (!asked) return tl::unexpected(asked.error());
  return takes;
}

Result<v1::Dict> ClusterBus::proposal(std::uint64_t id) {
  return state_->ask_proposal(
      [&](RequestId request) { return ProposalsRequest{.request = request, .id = id}; },
      "there is no proposal " + std::to_string(id));
}

Result<v1::Dict> ClusterBus::configuration() {
  v1::Dict values;
  for (const ConfigKeyInfo& key : config_keys())
    values.emplace(std::string(key.name), config_value_text(key, key.initial));
  const Status asked = state_->ask(
      patience, [](RequestId request) { return ConfigRequest{request}; },
      [&](RequestId request, const Message& message) {
        const auto* answer = std::get_if<Configuration>(&message);
        if (answer == nullptr || answer->request != request) return false;
        for (const ConfigEntry& entry : answer->entries) {
          if (const auto key = find_config_key(entry.key))
            values[std::string(entry.key)] = config_value_text(info_of(*key), entry.value);
        }
        return true;
      });
  if (!asked) return tl::unexpected(asked.error());
  return values;
}

v1::Dict member_dict(const Member& member) {
  v1::Dict labels;
  for (const auto& [key, value] : member.labels) labels.emplace(std::string(key), value);
  const NodeLoad& load = member.load;
  return {{"node_id", member.name},
          {"role", to_text(member.role)},
          {"state", to_text(member.state)},
          {"last_seen", v1::seconds_of(member.last_seen)},
          {"joined_at", v1::seconds_of(member.joined_at)},
          {"address", member.exchange},
          {"slots", load.slots},
          {"busy", load.busy},
          {"blocks", load.blocks},
          {"block_bytes", load.block_bytes},
          {"disk_free_bytes", load.disk_free_bytes},
          {"resident_bytes", load.resident_bytes},
          {"labels", std::move(labels)}};
}

v1::Dict snapshot_dict(const Snapshot& snapshot) {
  v1::List members;
  for (const Member& member : snapshot.members) members.emplace_back(member_dict(member));
  v1::List brokers;
  for (const BrokerInfo& broker : snapshot.brokers)
    brokers.emplace_back(v1::Dict{{"node_id", broker.name},
                                  {"address", broker.endpoint},
                                  {"leader", broker.leader},
                                  {"epoch", broker.epoch.value}});
  v1::Dict tasks;
  for (std::size_t state = 0; state < snapshot.tasks_by_state.size() && state < task_state_count; ++state)
    tasks.emplace(std::string(to_text(static_cast<TaskState>(state))), snapshot.tasks_by_state[state]);
  return {{"cluster_id", snapshot.cluster},
          {"leader", snapshot.leader},
          {"durability", to_text(snapshot.durability)},
          {"members", std::move(members)},
          {"brokers", std::move(brokers)},
          {"tasks", std::move(tasks)},
          {"blocks", snapshot.blocks_indexed}};
}

}  // namespace cidbus
