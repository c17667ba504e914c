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

NodeSigns signs_of(const NodeView& view, const Board::Machine& machine, const History& history,
                   WallTime now) {
  NodeSigns signs{view.name, view.role, view.state, {}, !view.exchange.empty() && view.told_load,
                  view.load, {},        {},         {}};
  if (view.last_heard.milliseconds != 0)
    signs.silent = std::max(now - view.last_heard, std::chrono::milliseconds(0));
  signs.cpu_percent = machine.cpu_percent;
  signs.memory_percent = machine.memory_percent;
  signs.disk_percent = newest_of(history, {view.name, "disk_percent"}, now);
  return signs;
}

Board::Machine machine_of(const History& history, const std::string& name, WallTime now) {
  return {newest_of(history, {name, "cpu_percent"}, now), newest_of(history, {name, "memory_percent"}, now)};
}

// A broker sends no heartbeats; it answers for itself.
bool answers(const std::vector<GroupOverview::Broker>& brokers, const NodeView& node) {
  return node.role == Role::Master && std::any_of(brokers.begin(), brokers.end(), [&](const auto& broker) {
           return broker.name == node.name && broker.duty;
         });
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
  board.brokers = view.group().brokers(view.leader_endpoint());
  board.tasks_by_state = view.tasks_by_state();
  board.accepted_rate = rate_of(history, "tasks_accepted_total", now);
  board.finished_rate = rate_of(history, "tasks_finished_total", now);
  board.requeued_rate = rate_of(history, "tasks_requeued_total", now);
  std::vector<NodeSigns> nodes;
  for (const auto& [name, known] : view.nodes()) {
    const Board::Machine machine = machine_of(history, name, now);
    board.machines.emplace(name, machine);
    nodes.push_back(signs_of(known, machine, history, now));
    if (answers(board.brokers, known)) nodes.back().silent = std::chrono::milliseconds(0);
    board.nodes.push_back({known, nodes.back().silent, health_of(nodes.back()).status});
  }
  for (const GroupOverview::Broker& broker : board.brokers)
    if (!board.machines.contains(broker.name))
      board.machines.emplace(broker.name, machine_of(history, broker.name, now));
  ClusterSigns signs{view.group(), {}, {}, {}, newest_of(history, {"", "tasks_failed_percent"}, now)};
  if (view.bound() && view.hears(now)) signs.nodes = std::move(nodes);
  if (!board.tasks_by_state.empty()) {
    signs.tasks_open = 0;
    for (std::size_t state = 0; state < board.tasks_by_state.size(); ++state)
      if (!is_final(static_cast<TaskState>(state))) *signs.tasks_open += board.tasks_by_state[state];
  }
  board.health = health_of(signs);
  if (view.group_time() == WallTime{}) board.health.reasons = {"the brokers are being asked"};
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
