#include "observer/core/board.h"

#include <algorithm>

namespace cidbus {
namespace {

constexpr std::int64_t rate_seconds = 10;

std::optional<double> rate_of(const History& history, const char* series, WallTime now) {
  const std::int64_t second = now.milliseconds / 1000;
  const auto figures =
      figures_of(history.range({"", series}, Resolution::Second, second - rate_seconds, second + 1));
  if (!figures) return std::nullopt;
  return figures->rate;
}

std::optional<double> newest_of(const History& history, const SeriesName& name, WallTime now) {
  const Point* const point = history.newest(name);
  if (point == nullptr || point->second < now.milliseconds / 1000 - rate_seconds) return std::nullopt;
  return point->value;
}

void tell_machine(NodeSigns& signs, const Board::Machine& machine, const History& history, WallTime now) {
  signs.cpu_percent = machine.cpu_percent;
  signs.memory_percent = machine.memory_percent;
  signs.disk_percent = newest_of(history, {signs.name, "disk_percent"}, now);
}

NodeSigns signs_of(const NodeView& view, const Board::Machine& machine, const History& history,
                   WallTime now) {
  NodeSigns signs{view.name, view.role, view.state, {}, !view.exchange.empty() && view.told_load,
                  view.load, {},        {},         {}};
  if (view.last_heard.milliseconds != 0)
    signs.silent = std::max(now - view.last_heard, std::chrono::milliseconds(0));
  tell_machine(signs, machine, history, now);
  return signs;
}

Board::Machine machine_of(const History& history, const std::string& name, WallTime now) {
  return {newest_of(history, {name, "cpu_percent"}, now), newest_of(history, {name, "memory_percent"}, now)};
}

// A broker sends no heartbeats; it answers for itself, and of one that does not nothing is known.
NodeSigns signs_of(const GroupOverview::Broker& broker, const Board::Machine& machine, const History& history,
                   WallTime now) {
  NodeSigns signs;
  signs.name = broker.name;
  signs.role = Role::Master;
  if (!broker.duty) return signs;
  signs.state = MemberState::Alive;
  signs.silent = std::chrono::milliseconds(0);
  tell_machine(signs, machine, history, now);
  return signs;
}

bool answers(const std::vector<Board::Broker>& brokers, const NodeView& node) {
  return node.role == Role::Master && std::any_of(brokers.begin(), brokers.end(), [&](const auto& broker) {
           return broker.name == node.name && broker.duty;
         });
}

// Like a node, a broker alone makes the cluster a warning at most. That one does not answer is said already.
void put_brokers(Board& board, const ClusterView& view, const History& history, WallTime now,
                 std::vector<std::string>& reasons) {
  for (const GroupOverview::Broker& broker : view.group().brokers(view.leader_endpoint())) {
    const auto machine = board.machines.emplace(broker.name, machine_of(history, broker.name, now)).first;
    const Health health = health_of(signs_of(broker, machine->second, history, now));
    board.brokers.push_back({broker, health.status});
    if (broker.duty && health.status > HealthStatus::Unknown)
      reasons.push_back("broker " + broker.name + ": " + health.reasons.front());
  }
}

std::vector<NodeSigns> put_nodes(Board& board, const ClusterView& view, const History& history,
                                 WallTime now) {
  std::vector<NodeSigns> nodes;
  for (const auto& [name, known] : view.nodes()) {
    const auto machine = board.machines.emplace(name, machine_of(history, name, now)).first;
    nodes.push_back(signs_of(known, machine->second, history, now));
    if (answers(board.brokers, known)) nodes.back().silent = std::chrono::milliseconds(0);
    board.nodes.push_back({known, nodes.back().silent, health_of(nodes.back()).status});
  }
  return nodes;
}

Health cluster_health(const Board& board, const ClusterView& view, const History& history,
                      std::vector<NodeSigns> nodes, const std::vector<std::string>& of_brokers) {
  ClusterSigns signs{view.group(), {}, {}, {}, newest_of(history, {"", "tasks_failed_percent"}, board.time)};
  if (view.bound() && view.hears(board.time)) signs.nodes = std::move(nodes);
  if (!board.tasks_by_state.empty()) {
    signs.tasks_open = 0;
    for (std::size_t state = 0; state < board.tasks_by_state.size(); ++state)
      if (!is_final(static_cast<TaskState>(state))) *signs.tasks_open += board.tasks_by_state[state];
  }
  if (const auto oldest = newest_of(history, {"", "queue_oldest_seconds"}, board.time))
    signs.oldest_task = std::chrono::seconds(static_cast<std::int64_t>(*oldest));
  Health health = health_of(signs);
  if (!of_brokers.empty()) health.status = std::max(health.status, HealthStatus::Warning);
  health.reasons.insert(health.reasons.end(), of_brokers.begin(), of_brokers.end());
  if (view.group_time() == WallTime{}) health.reasons = {"the brokers are being asked"};
  return health;
}

}  // namespace

Board make_board(const ClusterView& view, const History& history, const std::vector<Alert>& alerts,
                 const AlertMarks& marks, WallTime now) {
  Board board;
  board.time = now;
  board.cluster = view.cluster();
  board.leader = view.leader();
  board.epoch = view.epoch();
  board.bound = view.bound();
  board.unbound_at = view.unbound_at();
  board.tasks_by_state = view.tasks_by_state();
  board.accepted_rate = rate_of(history, "tasks_accepted_total", now);
  board.finished_rate = rate_of(history, "tasks_finished_total", now);
  board.requeued_rate = rate_of(history, "tasks_requeued_total", now);
  std::vector<std::string> of_brokers;
  put_brokers(board, view, history, now, of_brokers);
  board.health = cluster_health(board, view, history, put_nodes(board, view, history, now), of_brokers);
  for (const auto& [name, counts] : view.types()) board.types.push_back({name, counts});
  board.tasks.assign(view.tasks().rbegin(), view.tasks().rend());
  board.elections.assign(view.elections().rbegin(), view.elections().rend());
  for (const Alert& alert : alerts) {
    const Silence* const silence = marks.silence_of(alert, now);
    const Acknowledgement* const seen = marks.acknowledgement_of(alert);
    board.alerts.push_back({alert, seen != nullptr      ? "seen by " + seen->by
                                   : silence != nullptr ? "silenced by " + silence->name
                                                        : ""});
  }
  return board;
}

}  // namespace cidbus
