#include "observer/web/page_rows.h"

#include <cmath>

#include "client/command/json_writer.h"

namespace cidbus {
namespace {

// An object under way, so that each field is one call.
class Fields {
 public:
  Fields() { json_.open_object(); }
  Fields& text(std::string_view name, std::string_view value) {
    json_.name(name).string(value);
    return *this;
  }
  Fields& number(std::string_view name, std::uint64_t value) {
    json_.name(name).number(value);
    return *this;
  }
  Fields& boolean(std::string_view name, bool value) {
    json_.name(name).boolean(value);
    return *this;
  }
  Fields& time(std::string_view name, WallTime value) {
    if (value.milliseconds > 0) return number(name, static_cast<std::uint64_t>(value.milliseconds));
    return null(name);
  }
  Fields& null(std::string_view name) {
    json_.name(name).null();
    return *this;
  }
  Fields& real(std::string_view name, const std::optional<double>& value) {
    if (!value) return null(name);
    json_.name(name).real(*value);
    return *this;
  }
  Fields& texts(std::string_view name, std::span<const std::string> values) {
    json_.name(name).open_array();
    for (const std::string& value : values) json_.string(value);
    json_.close_array();
    return *this;
  }
  std::string end() { return json_.close_object().text(); }

 private:
  JsonWriter json_;
};

std::string broker_row(const Board::Broker& broker) {
  Fields row;
  row.text("state", state_of(broker)).text("health", to_text(broker.health)).text("address", broker.address);
  if (broker.priority) {
    row.real("priority", *broker.priority);
  } else {
    row.null("priority");
  }
  if (!broker.duty) return row.time("heard", broker.last_contact).end();
  row.number("epoch", broker.epoch.value).number("last", broker.last.value);
  row.number("durable", broker.durable.value).number("commit", broker.commit.value);
  row.number("applied", broker.applied.value).text("follows", broker.follows);
  row.number("config_version", broker.config_version);
  return broker.lag ? row.number("lag", *broker.lag).end() : row.null("lag").end();
}

// How long ago it was heard changes all the time, so it is told only of those that miss a heartbeat or two.
constexpr std::chrono::milliseconds silence_told(3000);

std::string node_row(const Board::Node& node) {
  const NodeView& view = node.view;
  Fields row;
  row.text("role", to_text(view.role)).text("state", to_text(view.state));
  row.text("health", to_text(node.health)).time("joined", view.joined_at);
  if (!node.silent || *node.silent >= silence_told) row.time("heard", view.last_heard);
  if (!view.told_load) return row.end();
  if (view.load.slots != 0) row.number("slots", view.load.slots).number("busy", view.load.busy);
  if (view.load.resident_bytes != 0) row.number("resident", view.load.resident_bytes);
  row.number("config_version", view.load.config_version);
  if (view.exchange.empty()) return row.end();
  row.text("exchange", view.exchange).number("blocks", view.load.blocks);
  row.number("block_bytes", view.load.block_bytes).number("disk_free", view.load.disk_free_bytes);
  return row.end();
}

// In whole percent, in a table of its own: it changes every second, and the rest of a node's row does not.
std::string machine_row(const Board::Machine& machine) {
  const auto whole = [](const std::optional<double>& percent) {
    return percent ? std::optional(std::round(*percent)) : std::nullopt;
  };
  Fields row;
  return row.real("cpu", whole(machine.cpu_percent)).real("memory", whole(machine.memory_percent)).end();
}

std::string alert_row(const Alert& alert, std::string_view mark) {
  Fields row;
  row.text("rule", alert.rule).text("node", alert.node).text("series", alert.series);
  row.text("level", to_text(alert.level)).text("text", alert.text).time("since", alert.raised_at);
  return row.text("mark", mark).end();
}

}  // namespace

void put_now(PageLedger& ledger, const Board& board, const PageFacts& facts) {
  ledger.begin("now");
  ledger.put("time", std::to_string(board.time.milliseconds));
  Fields cluster;
  cluster.text("name", board.cluster).text("leader", board.leader).number("epoch", board.epoch.value);
  cluster.boolean("bound", board.bound)
      .time("unbound", board.unbound_at)
      .text("observer", facts.observer)
      .text("version", facts.version);
  ledger.put("cluster", cluster.time("since", facts.watching_since).end());
  Fields health;
  health.text("status", to_text(board.health.status));
  ledger.put("health", health.texts("reasons", board.health.reasons).end());
  Fields tasks;
  for (std::size_t place = 0; place < board.tasks_by_state.size() && place < task_state_count; ++place)
    tasks.number(to_text(static_cast<TaskState>(place)), board.tasks_by_state[place]);
  ledger.put("tasks", tasks.end());
  Fields rates;
  rates.real("accepted", board.accepted_rate).real("finished", board.finished_rate);
  rates.real("requeued", board.requeued_rate).real("failed_percent", facts.failed_percent);
  ledger.put("rates", rates.number("skipped", facts.skipped).end());
  ledger.put("blocks", facts.blocks_indexed ? std::to_string(*facts.blocks_indexed) : "null");
  ledger.end();
}

void put_cluster(PageLedger& ledger, const Board& board) {
  ledger.begin("brokers");
  for (const Board::Broker& broker : board.brokers) ledger.put(broker.name, broker_row(broker));
  ledger.end();
  ledger.begin("nodes");
  for (const Board::Node& node : board.nodes) ledger.put(node.view.name, node_row(node));
  ledger.end();
  ledger.begin("machines");
  for (const auto& [name, machine] : board.machines) ledger.put(name, machine_row(machine));
  ledger.end();
  ledger.begin("types");
  for (const Board::Type& type : board.types) {
    Fields row;
    for (std::size_t place = 0; place < task_state_count; ++place)
      row.number(to_text(static_cast<TaskState>(place)), type.counts.events.at(place));
    ledger.put(type.name, row.end());
  }
  ledger.end();
}

void put_running(PageLedger& ledger, const RunTracker& runs) {
  ledger.begin("running");
  for (const auto& [task, run] : runs.running()) {
    if (!run.sure) continue;
    Fields row;
    row.text("type", run.type).text("worker", run.worker).time("began", run.began);
    ledger.put(to_text(task), row.number("attempts", run.attempts).end());
  }
  ledger.end();
}

void put_alerts(PageLedger& ledger, const Board& board, const AlertMarks& marks) {
  ledger.begin("raised");
  for (const Board::Raised& raised : board.alerts)
    ledger.put(raised.alert.id, alert_row(raised.alert, raised.mark));
  ledger.end();
  ledger.begin("silences");
  for (const Silence& silence : marks.silences) {
    if (silence.until <= board.time) continue;
    Fields row;
    row.text("rule", silence.rule).text("node", silence.node).time("until", silence.until);
    ledger.put(silence.name, row.text("reason", silence.reason).end());
  }
  ledger.end();
}

void put_rules(PageLedger& ledger, std::span<const AlertRule> rules) {
  ledger.begin("rules");
  for (const AlertRule& rule : rules) {
    Fields row;
    row.text("condition", condition_text(rule)).text("meaning", rule.meaning).text("node", rule.node);
    ledger.put(rule.name, row.boolean("enabled", rule.enabled).end());
  }
  ledger.end();
}

std::string run_entry(const EndedRun& run) {
  Fields row;
  row.text("task", to_text(run.task)).text("type", run.type).text("worker", run.worker);
  if (run.began) row.time("began", *run.began);
  row.time("ended", run.ended).text("state", to_text(run.state));
  return row.number("attempts", run.attempts).end();
}

std::string election_entry(WallTime time, std::string_view publisher, const ElectionEvent& event) {
  Fields row;
  row.time("time", time).text("broker", publisher).text("word", to_text(event.word));
  row.text("to", event.to).number("epoch", event.epoch.value).number("last", event.last.value);
  return row.real("priority", event.priority).end();
}

std::string alert_entry(const AlertNotice& notice) {
  const Alert& alert = notice.alert;
  Fields row;
  row.time("time", notice.time).text("change", to_text(notice.change)).text("rule", alert.rule);
  row.text("node", alert.node).text("level", to_text(alert.level));
  return row.text("text", alert.text).time("since", alert.raised_at).end();
}

}  // namespace cidbus
