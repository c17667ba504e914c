#include "cidbus/cluster/cluster_monitor.h"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <mutex>
#include <set>

#include "node/library/task_dict.h"
#include "node/library/ticker.h"
#include "observer/core/alert_engine.h"
#include "shared/base/limits/cluster_library.h"
#include "shared/content/quote.h"
#include "shared/io/clock.h"

namespace cidbus::v1 {
namespace {

constexpr std::array usual_metrics{"cpu_percent", "memory_percent", "disk_percent"};
constexpr double usual_warning = 80;
constexpr double usual_critical = 95;
constexpr const char* cluster_status = "cluster_status";
constexpr const char* node_status = "node_status";

// Unknown is worse than healthy and better than a warning.
int rank_of(std::string_view status) {
  static constexpr std::array<std::string_view, 4> ranks{"healthy", "unknown", "warning", "critical"};
  return static_cast<int>(std::find(ranks.begin(), ranks.end(), status) - ranks.begin());
}

AlertRule rule_of(const std::string& metric, std::optional<double> warning, std::optional<double> critical) {
  AlertRule rule;
  rule.name = metric;
  rule.series = metric.find('.') == std::string::npos ? "*." + metric : metric;
  rule.warning = warning ? warning : critical;
  rule.critical = critical;
  rule.clear_hold = std::chrono::milliseconds(0);
  return rule;
}

// 1 and 2 in a series of statuses.
AlertRule status_rule(const char* series) {
  AlertRule rule = rule_of(series, 1, 2);
  rule.series = series;
  return rule;
}

bool is_unknown(const Value& health) { return health["status"].shown() == "unknown"; }

// Of what is known.
double severity_of(const Value& health) { return std::max(0, rank_of(health["status"].shown()) - 1); }

std::string joined(const Value& issues) {
  std::string text;
  if (const List* list = issues.list())
    for (const Value& issue : *list) text += (text.empty() ? "" : "; ") + issue.shown();
  return text;
}

}  // namespace

struct ClusterMonitor::State {
  explicit State(MonitorOptions given)
      : options(std::move(given)), measures_itself(options.metrics_collector == nullptr) {
    if (measures_itself)
      options.metrics_collector = std::make_shared<MetricsCollector>(
          MetricsOptions{.node_id = options.node_id, .collection_interval = options.check_interval});
    for (const char* metric : usual_metrics) rules[metric] = rule_of(metric, usual_warning, usual_critical);
    rules[cluster_status] = status_rule(cluster_status);
    rules[node_status] = status_rule(node_status);
    make_engine();
  }

  // What is raised stays so; what was raised by a rule that is gone is over.
  void make_engine() {
    std::vector<AlertRule> all;
    for (const auto& [name, rule] : rules) all.push_back(rule);
    const std::vector<Alert> raised = engine == nullptr ? std::vector<Alert>() : engine->raised();
    engine = std::make_unique<AlertEngine>(std::move(all));
    for (const Alert& alert : raised) {
      if (rules.contains(alert.rule))
        engine->restore(alert);
      else
        note({AlertChange::Resolved, alert, read_clock().wall});
    }
  }

  void check() {
    {
      const std::lock_guard one_at_a_time(checking);
      const Value measured(options.metrics_collector->get_current_metrics());
      const Value told = options.coordinator == nullptr ? Value() : Value(options.coordinator->get_health());
      judge(measured, told);
    }
    tell();
  }

  void judge(const Value& measured, const Value& told) {
    const std::lock_guard guard(lock);
    last_check = read_clock().wall;
    health = told;
    for (const auto& [source, value] : *measured.dict()) feed(source, value);
    bool blind = false;  // of nodes nothing is known while the cluster does not answer
    if (!told.is_null()) {
      blind = is_unknown(told) && told["node_statuses"].dict()->empty();
      // A cluster that has answered once and is gone is a warning at least; one of which not all is known, as
      // while a node joins, is what it was.
      if (!is_unknown(told))
        severity = severity_of(told);
      else if (severity && blind)
        severity = std::max(1.0, *severity);
      if (severity) feed_status("", cluster_status, told, *severity);
      for (const auto& [name, node] : *told["node_statuses"].dict())
        if (!is_unknown(node)) feed_status(name, node_status, node, severity_of(node));
    }
    for (const AlertNotice& notice : engine->on_tick(last_check, "", blind)) note(notice);
  }

  void note(const AlertNotice& notice) {
    Dict alert = dict_of(notice.alert, notice.time);
    if (notice.change == AlertChange::Resolved) {
      alert["level"] = "resolved";
      cleared.erase(key_of(notice.alert));
    }
    history.push_back(alert);
    if (history.size() > limits::alert_notices_kept) history.pop_front();
    untold.push_back(std::move(alert));
  }

  // Whoever tells already takes these along, so that they are told in their order.
  void tell() {
    std::unique_lock guard(lock);
    if (is_telling) return;
    is_telling = true;
    while (!untold.empty()) {
      const Dict alert = std::move(untold.front());
      untold.pop_front();
      guard.unlock();
      if (options.alert_callback) options.alert_callback(alert);
      guard.lock();
    }
    is_telling = false;
  }

  void feed(const std::string& name, const Value& value) {
    if (const Dict* dict = value.dict()) {
      for (const auto& [inner, item] : *dict) feed(name + "." + inner, item);
    } else if (value.whole() != nullptr || value.decimal() != nullptr) {
      engine->on_sample({options.node_id, name, last_check, value.number()}, no_history);
    }
  }

  void feed_status(const std::string& node, const char* series, const Value& told, double as) {
    messages[{node, series}] = joined(told["issues"]);
    engine->on_sample({node, series, last_check, as}, no_history);
  }

  using Key = std::pair<std::string, std::string>;  // node, series
  static Key key_of(const Alert& alert) { return {alert.node, alert.series}; }

  [[nodiscard]] Dict dict_of(const Alert& alert, cidbus::WallTime at) const {
    const bool is_status = alert.rule == cluster_status || alert.rule == node_status;
    const auto message = messages.find(key_of(alert));
    const bool said = is_status && message != messages.end() && !message->second.empty();
    return {{"timestamp", seconds_of(at)},
            {"source", is_status ? "health" : "metrics"},
            {"node_id", alert.node.empty() ? options.node_id : alert.node},
            {"level", cidbus::to_text(alert.level)},
            {"type", alert.series},
            {"message", said ? message->second : alert.text}};
  }

  [[nodiscard]] List alerts() const {
    List raised;
    for (const Alert& alert : engine->raised())
      if (!cleared.contains(key_of(alert))) raised.emplace_back(dict_of(alert, alert.raised_at));
    return raised;
  }

  // This node's, by its own alerts. Nothing measured: unknown.
  [[nodiscard]] Dict own_health() const {
    std::string status = last_check.milliseconds == 0 ? "unknown" : "healthy";
    List issues;
    for (const Value& alert : alerts()) {
      if (alert["source"].shown() != "metrics") continue;
      issues.push_back(alert["message"]);
      if (rank_of(alert["level"].shown()) > rank_of(status)) status = alert["level"].shown();
    }
    return {{"status", status}, {"issues", std::move(issues)}};
  }

  // This node's own, and what the leader says of it, as one.
  static Dict worse_of(Dict own, const Value& told) {
    const Value mine(own);
    List issues = *mine["issues"].list();
    if (const List* more = told["issues"].list()) issues.insert(issues.end(), more->begin(), more->end());
    if (rank_of(told["status"].shown()) > rank_of(mine["status"].shown()) && !told.is_null())
      own["status"] = told["status"];
    own["issues"] = std::move(issues);
    return own;
  }

  [[nodiscard]] Dict node_statuses() const {
    Dict nodes;
    if (const Dict* told = health["node_statuses"].dict()) nodes = *told;
    nodes[options.node_id] = worse_of(own_health(), Value(nodes)[options.node_id]);
    return nodes;
  }

  MonitorOptions options;
  const bool measures_itself;  // the collector is its own
  std::mutex checking;         // one measures and judges at a time: nothing is judged after what is newer
  mutable std::mutex lock;     // of what follows; nothing of a program's is called with it held
  std::map<std::string, AlertRule> rules;
  std::unique_ptr<AlertEngine> engine;
  const History no_history;  // only rules on what is unusual look at it
  std::map<Key, std::string> messages;
  std::set<Key> cleared;
  std::deque<Dict> history;
  std::deque<Dict> untold;  // the newest of it
  bool is_telling = false;
  std::optional<double> severity;  // of the cluster, as it was fed last; nothing: it never answered
  cidbus::WallTime last_check;     // 0: none yet
  Value health;                    // the coordinator's; null without one
  Ticker ticker;
};

ClusterMonitor::ClusterMonitor(MonitorOptions options) : state_(std::make_shared<State>(std::move(options))) {
  const auto every = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::clamp(state_->options.check_interval, Seconds(0.01), Seconds(1e6)));
  state_->ticker.start(every, [state = state_] { state->check(); });
}

ClusterMonitor::~ClusterMonitor() { shutdown(); }

Dict ClusterMonitor::get_cluster_health() {
  state_->check();
  const std::lock_guard guard(state_->lock);
  Dict cluster = State::worse_of(state_->own_health(), state_->health);
  cluster["last_check"] = seconds_of(state_->last_check);
  cluster["node_statuses"] = state_->node_statuses();
  cluster["alerts"] = state_->alerts();
  return cluster;
}

Dict ClusterMonitor::get_node_health(const std::string& node_id) {
  state_->check();
  const std::string& name = node_id.empty() ? state_->options.node_id : node_id;
  const std::lock_guard guard(state_->lock);
  const Value nodes(state_->node_statuses());
  Dict node{{"status", "unknown"}, {"issues", List{"nobody knows this node"}}};
  if (const Dict* known = nodes[name].dict()) node = *known;
  node["node_id"] = name;
  node["last_check"] = seconds_of(state_->last_check);
  return node;
}

Status ClusterMonitor::set_alert_threshold(const std::string& metric, std::optional<double> warning,
                                           std::optional<double> critical) {
  if (metric.empty() || metric == cluster_status || metric == node_status)
    return Fault{FaultKind::BadUsage, in_quotes(metric) + " is no metric"};
  if (warning && critical && *critical < *warning)
    return Fault{FaultKind::BadUsage, "the critical threshold of " + metric + " is below the warning"};
  {
    const std::lock_guard guard(state_->lock);
    state_->rules.erase(metric);
    if (warning || critical) state_->rules[metric] = rule_of(metric, warning, critical);
    state_->make_engine();
  }
  state_->tell();
  return {};
}

List ClusterMonitor::get_alerts() const {
  const std::lock_guard guard(state_->lock);
  return state_->alerts();
}

List ClusterMonitor::get_alert_history() const {
  const std::lock_guard guard(state_->lock);
  return {state_->history.begin(), state_->history.end()};
}

void ClusterMonitor::clear_alerts() {
  const std::lock_guard guard(state_->lock);
  for (const Alert& alert : state_->engine->raised()) state_->cleared.insert(State::key_of(alert));
  state_->history.clear();
}

void ClusterMonitor::shutdown() {
  state_->ticker.stop();
  if (state_->measures_itself) state_->options.metrics_collector->shutdown();
}

}  // namespace cidbus::v1
