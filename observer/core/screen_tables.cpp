#include "observer/core/screen_tables.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace cidbus {
namespace {

constexpr std::size_t clock_from = 11;  // of an RFC 3339 time
constexpr std::size_t clock_length = 8;

// What came from outside, on one line and without anything that a terminal would obey.
std::string safe(std::string_view text) {
  std::string result;
  for (const char letter : text) result += letter >= ' ' && letter < '\x7f' ? letter : '?';
  return result;
}
std::string number(std::uint64_t value) { return std::to_string(value); }
std::string bytes(std::uint64_t value) { return readable_value("x_bytes", static_cast<double>(value)); }
std::string clock_of(WallTime time) {
  return time.milliseconds == 0 ? "-" : to_rfc3339(time).substr(clock_from, clock_length);
}

// Cells of one row; a row that does not contain the filter is left out.
struct Row {
  std::vector<std::string> cells;
  Style style = Style::Plain;
};
bool contains(const Row& row, const std::string& filter) {
  return filter.empty() || std::any_of(row.cells.begin(), row.cells.end(), [&](const std::string& cell) {
           return cell.find(filter) != std::string::npos;
         });
}

// Columns as wide as their widest cell.
class Columns {
 public:
  explicit Columns(std::vector<std::string> names) : names_(std::move(names)) {
    for (const std::string& name : names_) widths_.push_back(name.size());
  }
  void add(Row row) {
    for (std::size_t at = 0; at < row.cells.size(); ++at)
      widths_[at] = std::max(widths_[at], row.cells[at].size());
    rows_.push_back(std::move(row));
  }
  [[nodiscard]] Line heading() const { return {{aligned(names_), Style::Heading}}; }
  [[nodiscard]] std::vector<Line> lines() const {
    std::vector<Line> lines;
    for (const Row& row : rows_) lines.push_back({{aligned(row.cells), row.style}});
    return lines;
  }

 private:
  [[nodiscard]] std::string aligned(const std::vector<std::string>& cells) const {
    std::string text;
    for (std::size_t at = 0; at < cells.size(); ++at) {
      text += cells[at];
      if (at + 1 < cells.size()) text.append(widths_[at] - cells[at].size() + 2, ' ');
    }
    return text;
  }

  std::vector<std::string> names_;
  std::vector<std::size_t> widths_;
  std::vector<Row> rows_;
};

ScreenTable filled(Columns columns, std::vector<Row> rows, const ScreenState& state) {
  for (Row& row : rows)
    if (contains(row, state.filter)) columns.add(std::move(row));
  return {{columns.heading()}, columns.lines()};
}

Style style_of(HealthStatus status) {
  static constexpr std::array<Style, 4> styles{Style::Plain, Style::Faint, Style::Warning, Style::Bad};
  return styles[static_cast<std::size_t>(status)];
}

ScreenTable brokers(const Board& board, const ScreenState& state) {
  std::vector<Row> rows;
  for (const Board::Broker& broker : board.brokers) {
    const bool answered = broker.duty.has_value();
    const Style sound = broker.duty == Duty::Leader ? Style::Good : Style::Plain;
    const bool sick = broker.health > HealthStatus::Unknown;
    rows.push_back({{safe(broker.name), std::string(state_of(broker)), std::string(to_text(broker.health)),
                     answered ? number(broker.epoch.value) : "-", answered ? number(broker.last.value) : "-",
                     broker.lag ? number(*broker.lag) : "-", safe(broker.address)},
                    !answered ? Style::Bad
                    : sick    ? style_of(broker.health)
                              : sound});
  }
  return filled(Columns({"BROKER", "STATE", "HEALTH", "EPOCH", "JOURNAL", "LAG", "ADDRESS"}), std::move(rows),
                state);
}

Board::Machine machine_of(const Board& board, const Board::Node& node) {
  const auto found = board.machines.find(node.view.name);
  return found == board.machines.end() ? Board::Machine{} : found->second;
}
std::string percent(const std::optional<double>& share) {
  return share ? readable_value("x_percent", std::round(*share)) : "-";
}

Row node_row(const Board& board, const Board::Node& node) {
  const NodeView& view = node.view;
  const Board::Machine machine = machine_of(board, node);
  const bool stores = !view.exchange.empty();
  const std::string heard =
      node.silent ? number(static_cast<std::uint64_t>(node.silent->count()) / 1000) + " s" : "-";
  return {
      {safe(view.name), std::string(to_text(view.role)), std::string(to_text(view.state)),
       std::string(to_text(node.health)),
       view.load.slots == 0 ? "-" : number(view.load.busy) + "/" + number(view.load.slots),
       percent(machine.cpu_percent), percent(machine.memory_percent), stores ? number(view.load.blocks) : "-",
       stores ? bytes(view.load.block_bytes) : "-", stores ? bytes(view.load.disk_free_bytes) : "-", heard},
      style_of(node.health)};
}

// By the column; equal ones by name.
void sort_nodes(std::vector<const Board::Node*>& nodes, const Board& board, const ScreenState& state) {
  const auto key = [&](const Board::Node& node) -> double {
    const NodeView& view = node.view;
    const Board::Machine machine = machine_of(board, node);
    const std::array<double, 11> keys{0,
                                      static_cast<double>(view.role),
                                      static_cast<double>(view.state),
                                      static_cast<double>(node.health),
                                      static_cast<double>(view.load.busy),
                                      machine.cpu_percent.value_or(-1),
                                      machine.memory_percent.value_or(-1),
                                      static_cast<double>(view.load.blocks),
                                      static_cast<double>(view.load.block_bytes),
                                      static_cast<double>(view.load.disk_free_bytes),
                                      node.silent ? static_cast<double>(node.silent->count() / 1000) : 1e300};
    return keys.at(state.sort);
  };
  std::stable_sort(nodes.begin(), nodes.end(),
                   [&](const auto* left, const auto* right) { return key(*left) < key(*right); });
  if (state.reversed) std::reverse(nodes.begin(), nodes.end());
}

ScreenTable nodes(const Board& board, const ScreenState& state) {
  std::vector<std::string> names{"NODE",   "ROLE",   "STATE",  "HEALTH", "BUSY", "CPU",
                                 "MEMORY", "BLOCKS", "STORED", "FREE",   "HEARD"};
  if (state.page == Page::Nodes) names.at(state.sort) += state.reversed ? "^" : "*";
  std::vector<const Board::Node*> sorted;
  for (const Board::Node& node : board.nodes) sorted.push_back(&node);
  sort_nodes(sorted, board, state);
  std::vector<Row> rows;
  for (const Board::Node* node : sorted) rows.push_back(node_row(board, *node));
  return filled(Columns(std::move(names)), std::move(rows), state);
}

ScreenTable types(const Board& board, const ScreenState& state) {
  std::vector<Row> rows;
  for (const Board::Type& type : board.types) {
    const auto count = [&](TaskState wanted) {
      return number(type.counts.events[static_cast<std::size_t>(wanted)]);
    };
    using enum TaskState;
    rows.push_back({{safe(type.name), count(Pending), count(Processing), count(Completed), count(Failed),
                     count(Timeout), count(Cancelled)}});
  }
  return filled(Columns({"TYPE SINCE ATTACHED", "PENDING", "PROCESSING", "COMPLETED", "FAILED", "TIMEOUT",
                         "CANCELLED"}),
                std::move(rows), state);
}

ScreenTable tasks(const Board& board, const ScreenState& state) {
  std::vector<Row> rows;
  for (const TaskView& task : board.tasks) {
    const bool bad = task.state == TaskState::Failed || task.state == TaskState::Timeout;
    rows.push_back(
        {{clock_of(task.time), to_text(task.task), safe(task.type), std::string(to_text(task.state)),
          task.worker.empty() ? "-" : safe(task.worker), number(task.attempts)},
         bad ? Style::Warning : Style::Plain});
  }
  return filled(Columns({"TIME", "TASK", "TYPE", "STATE", "WORKER", "ATTEMPTS"}), std::move(rows), state);
}

ScreenTable elections(const Board& board, const ScreenState& state) {
  std::vector<Row> rows;
  for (const ElectionView& said : board.elections) {
    rows.push_back(
        {{clock_of(said.time), safe(said.publisher), std::string(to_text(said.word)),
          said.to.empty() ? "all" : safe(said.to), number(said.epoch.value), number(said.last.value)},
         said.word == ElectionWord::Coordinator ? Style::Good : Style::Plain});
  }
  return filled(Columns({"TIME", "BROKER", "SAYS", "TO", "EPOCH", "JOURNAL"}), std::move(rows), state);
}

ScreenTable alerts(const Board& board, const ScreenState& state) {
  std::vector<Row> rows;
  for (const Board::Raised& raised : board.alerts) {
    const Alert& alert = raised.alert;
    const Style style = !raised.mark.empty()                  ? Style::Faint
                        : alert.level == AlertLevel::Critical ? Style::Bad
                                                              : Style::Warning;
    rows.push_back({{clock_of(alert.raised_at), std::string(to_text(alert.level)), safe(alert.rule),
                     safe(alert.text) + (raised.mark.empty() ? "" : " (" + safe(raised.mark) + ")")},
                    style});
  }
  return filled(Columns({"SINCE", "LEVEL", "RULE", "WHAT"}), std::move(rows), state);
}

// All tables below one another, as rows that scroll together.
ScreenTable overview(const Board& board, const ScreenState& state) {
  ScreenTable all;
  for (const std::string& reason : board.health.reasons)
    all.rows.push_back({{"! " + safe(reason), Style::Warning}});
  ScreenState by_name = state;
  by_name.sort = 0;
  by_name.reversed = false;
  for (ScreenTable table :
       {alerts(board, state), brokers(board, state), nodes(board, by_name), types(board, state)}) {
    if (table.rows.empty()) continue;
    if (!all.rows.empty()) all.rows.emplace_back();
    all.rows.push_back(std::move(table.heading[0]));
    for (Line& row : table.rows) all.rows.push_back(std::move(row));
  }
  return all;
}

}  // namespace

ScreenTable table_of(const Board& board, const ScreenState& state) {
  switch (state.page) {
    case Page::Overview:
      return overview(board, state);
    case Page::Nodes:
      return nodes(board, state);
    case Page::Tasks:
      return tasks(board, state);
    case Page::Elections:
      return elections(board, state);
    case Page::Alerts:
      return alerts(board, state);
  }
  return {};
}

}  // namespace cidbus
