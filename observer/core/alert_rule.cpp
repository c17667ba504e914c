#include "observer/core/alert_rule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace cidbus {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array<std::string_view, 2> level_names{"warning", "critical"};
constexpr std::array<std::string_view, 3> when_names{"above", "below", "unusual"};
constexpr double mebibyte = 1 << 20;
constexpr double exact_below = 1e15;  // whole numbers are

template <typename Word, std::size_t size>
std::optional<Word> parse(const std::array<std::string_view, size>& names, std::string_view text) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return std::nullopt;
  return static_cast<Word>(found - names.begin());
}

std::string printed(const char* format, double value) {
  std::array<char, 64> text{};
  const int length = std::snprintf(text.data(), text.size(), format, value);
  return {text.data(), static_cast<std::size_t>(length)};
}

std::string readable_size(double bytes) {
  static constexpr std::array<const char*, 5> units{"%.0f B", "%.3g KiB", "%.3g MiB", "%.3g GiB", "%.3g TiB"};
  std::size_t unit = 0;
  for (; std::abs(bytes) >= 1024 && unit + 1 < units.size(); ++unit) bytes /= 1024;
  return printed(units[unit], bytes);
}

std::string time_text(milliseconds time) {
  return time.count() % 1000 == 0 ? std::to_string(time.count() / 1000) + " s"
                                  : std::to_string(time.count()) + " ms";
}

}  // namespace

std::string_view to_text(AlertLevel level) { return level_names[static_cast<std::size_t>(level)]; }
std::optional<AlertLevel> parse_alert_level(std::string_view text) {
  return parse<AlertLevel>(level_names, text);
}
std::string_view to_text(AlertWhen when) { return when_names[static_cast<std::size_t>(when)]; }
std::optional<AlertWhen> parse_alert_when(std::string_view text) {
  return parse<AlertWhen>(when_names, text);
}

std::vector<AlertRule> default_alert_rules() {
  using enum AlertWhen;
  return {
      {"node_silent",
       "a node that did not say goodbye is not heard",
       "silent_seconds",
       "*",
       Above,
       5.0,
       15.0,
       3.0,
       seconds(0),
       seconds(3),
       {"*"}},
      {"broker_unreachable",
       "a broker of the group does not answer",
       "broker_reachable",
       "*",
       Below,
       1.0,
       {},
       {},
       seconds(3),
       seconds(3),
       {"*"}},
      {"broker_lag", "a broker's journal is far behind the leader's", "journal_lag_records", "*", Above,
       100'000.0, 1'000'000.0, 50'000.0, seconds(30)},
      {"no_quorum",
       "fewer brokers answer than a majority has: nothing is accepted",
       "quorum_held",
       "",
       Below,
       {},
       1.0,
       {},
       seconds(3),
       seconds(3),
       {"no_leader"}},
      {"no_leader",
       "no leader answers: nothing is accepted",
       "leader_present",
       "",
       Below,
       {},
       1.0,
       {},
       seconds(5),
       seconds(3),
       {"no_worker", "few_nodes", "single_node", "failures", "queue_age"}},
      {"no_worker",
       "no worker is alive: nothing is run",
       "workers_alive",
       "",
       Below,
       {},
       1.0,
       {},
       seconds(10),
       seconds(10),
       {"queue_age"}},
      {"single_node", "only one node is alive", "nodes_alive", "", Below, 2.0, {}, {}, seconds(30)},
      {"few_nodes",
       "fewer nodes than there should be; give the number as `warning`",
       "nodes_alive",
       "",
       Below,
       {},
       {},
       {},
       seconds(30),
       seconds(10),
       {},
       false},
      {"disk_free", "little room where blocks are stored", "disk_free_bytes", "*", Below, 2048 * mebibyte,
       512 * mebibyte, 2560 * mebibyte, seconds(5)},
      {"disk_used", "the disk of a node's data folder is full", "disk_percent", "*", Above, 80.0, 95.0, 78.0,
       minutes(2)},
      {"memory_used", "a node's machine, or its share of one, has little memory left", "memory_percent", "*",
       Above, 80.0, 95.0, 78.0, minutes(2)},
      {"cpu_used", "a node's machine, or its share of one, has no processor time left", "cpu_percent", "*",
       Above, 80.0, 95.0, 75.0, minutes(5), minutes(1)},
      {"queue_age",
       "tasks wait for long to be handed out",
       "queue_oldest_seconds",
       "",
       Above,
       60.0,
       600.0,
       {},
       seconds(10)},
      {"failures", "many of the tasks that ended within a minute failed", "tasks_failed_percent", "", Above,
       10.0, 50.0, 5.0, seconds(5)},
      {"memory_unusual",
       "a process takes far more or less memory than it did",
       "resident_bytes",
       "*",
       Unusual,
       10.0,
       {},
       5.0,
       seconds(60),
       seconds(60)},
  };
}

std::string readable_value(std::string_view series, double value) {
  if (series.ends_with("_bytes")) return readable_size(value);
  if (series.ends_with("_percent")) return printed("%.3g %%", value);
  if (series.ends_with("_seconds")) return printed(value < 1000 ? "%.3g s" : "%.0f s", value);
  const bool whole = value == std::floor(value) && std::abs(value) < exact_below;
  return printed(whole ? "%.0f" : "%.6g", value);
}

std::string condition_text(const AlertRule& rule) {
  const bool unusual = rule.when == AlertWhen::Unusual;
  const auto threshold = [&](double value) {
    return unusual ? printed("by %g times its spread", value)
                   : std::string(to_text(rule.when)) + " " + readable_value(rule.series, value);
  };
  std::string text = rule.series + (unusual ? " unusual" : "");
  if (rule.warning) text += " " + threshold(*rule.warning);
  if (rule.critical)
    text += rule.warning ? ", critical " + threshold(*rule.critical)
                         : " " + threshold(*rule.critical) + " (critical)";
  if (rule.hold.count() != 0) text += ", for " + time_text(rule.hold);
  return text;
}

}  // namespace cidbus
