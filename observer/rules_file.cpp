#include "observer/rules_file.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>

#include "client/command/values.h"
#include "observer/core/series_names.h"
#include "shared/base/ids.h"
#include "shared/base/limits/observer.h"
#include "shared/content/quote.h"
#include "shared/settings/config_file.h"
#include "shared/settings/option_table.h"

namespace cidbus {
namespace {

std::string duration_problem(const std::string& text) {
  if (text == "0s") return {};
  const auto duration = parse_duration(text);
  return duration ? "" : duration.error().message;
}
std::chrono::milliseconds duration_of(const std::string& text, std::chrono::milliseconds otherwise) {
  if (text.empty()) return otherwise;
  return text == "0s" ? std::chrono::milliseconds(0) : *parse_duration(text);
}

tl::unexpected<Fault> wrong(const ConfigValue& where, const std::string& why) {
  return fault(FaultKind::BadData, to_text(where.place) + ": " + why);
}

// From where on it is raised; nothing while it waits for a number.
std::optional<double> threshold_of(const AlertRule& rule) {
  return rule.warning ? rule.warning : rule.critical;
}

bool clears_behind_threshold(const AlertRule& rule) {
  const auto threshold = threshold_of(rule);
  if (!rule.clear || !threshold) return true;
  return rule.when == AlertWhen::Below ? *rule.clear >= *threshold : *rule.clear <= *threshold;
}

// A `clear` that nobody gave stands to the new threshold as it stood to the old one: it was chosen so that
// what wavers around the threshold raises one alert, not many.
void move_clear(AlertRule& rule, const AlertRule& before) {
  const auto threshold = threshold_of(rule);
  const auto old = threshold_of(before);
  if (rule.clear && threshold && old && *old != 0) rule.clear = *rule.clear * (*threshold / *old);
  if (!clears_behind_threshold(rule)) rule.clear.reset();
}

std::string number_text(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%g", value);
  return text.data();
}

Status check(const AlertRule& rule, const ConfigValue& table) {
  const std::string what = "[rule." + rule.name + "] ";
  if (rule.series.empty()) return wrong(table, what + "needs series: it is none of the default rules");
  if (!is_known_series(rule.series))
    return wrong(table,
                 what + "series " + in_quotes(rule.series) +
                     " is none that an observer has, so that it would never be raised; docs/observer.md "
                     "names them, and so does 'cidbus-observer history list'");
  if (rule.enabled && !rule.warning && !rule.critical)
    return wrong(table, what + "needs warning or critical, a number");
  if (rule.when == AlertWhen::Unusual && std::min(rule.warning.value_or(1), rule.critical.value_or(1)) <= 0)
    return wrong(table, what + "unusual takes how many times the spread: a number above 0");
  if (!clears_behind_threshold(rule))
    return wrong(table, what + "clear = " + number_text(*rule.clear) +
                            " lies on the wrong side of the threshold " + number_text(*threshold_of(rule)) +
                            ": with when = \"" + std::string(to_text(rule.when)) + "\" give " +
                            (rule.when == AlertWhen::Below ? "a higher" : "a lower") + " one, or none");
  return {};
}

// Of a default rule as it was `before`, or one that has a name only.
Result<AlertRule> read_rule(const AlertRule& before, const ConfigValue& table) {
  AlertRule rule = before;
  std::string when(to_text(rule.when));
  std::string hold;
  std::string clear_hold;
  CLI::App app("", "rule." + rule.name);
  app.add_option("--series", rule.series)->type_name("TEXT");
  app.add_option("--node", rule.node)->type_name("TEXT");
  allow_only(*app.add_option("--when", when)->type_name("WORD"), {"above", "below", "unusual"});
  app.add_option("--warning", rule.warning)->type_name("FLOAT");
  app.add_option("--critical", rule.critical)->type_name("FLOAT");
  app.add_option("--clear", rule.clear)->type_name("FLOAT");
  app.add_option("--for", hold)->type_name("TEXT")->check(duration_problem);
  app.add_option("--clear-for", clear_hold)->type_name("TEXT")->check(duration_problem);
  app.add_option("--hides", rule.hides)->type_name("TEXT,…");
  app.add_flag("--enabled", rule.enabled);
  app.add_option("--meaning", rule.meaning)->type_name("TEXT");
  if (const Status read = read_table(app, table); !read) return tl::unexpected(read.error());
  // Who gives numbers of their own to a rule that waits for them wants it.
  if (table.find("enabled") == nullptr && (rule.warning || rule.critical)) rule.enabled = true;
  rule.when = *parse_alert_when(when);
  rule.hold = duration_of(hold, rule.hold);
  rule.clear_hold = duration_of(clear_hold, rule.clear_hold);
  if (table.find("clear") == nullptr) move_clear(rule, before);
  if (const Status good = check(rule, table); !good) return tl::unexpected(good.error());
  return rule;
}

Result<AlertSink> read_sink(const std::string& name, const ConfigValue& table) {
  AlertSink sink{name, {}, {}, AlertLevel::Warning};
  std::string level = "warning";
  CLI::App app("", "sink." + name);
  app.add_option("--command", sink.command)->type_name("TEXT,…");
  app.add_option("--webhook", sink.webhook)->type_name("TEXT");
  allow_only(*app.add_option("--level", level)->type_name("WORD"), {"warning", "critical"});
  if (const Status read = read_table(app, table); !read) return tl::unexpected(read.error());
  sink.least = *parse_alert_level(level);
  if (sink.command.empty() == sink.webhook.empty())
    return wrong(table, "[sink." + name +
                            "] takes command = [\"PROGRAM\", ...] or webhook = \"https://...\", one of them");
  const bool is_web = sink.webhook.starts_with("http://") || sink.webhook.starts_with("https://");
  if (!sink.webhook.empty() && !is_web)
    return wrong(table, "[sink." + name + "] webhook " + in_quotes(sink.webhook) +
                            " is no address; it begins with http:// or https://");
  return sink;
}

// Calls `take` with the name and table of each [KIND.NAME].
Status each_table(const ConfigValue& file, std::string_view kind,
                  const std::function<Status(const std::string&, const ConfigValue&)>& take) {
  const ConfigValue* const tables = file.find(kind);
  if (tables == nullptr) return {};
  if (tables->kind != ConfigValue::Kind::Table)
    return wrong(*tables, std::string(kind) + " is no value; write tables [" + std::string(kind) + ".NAME]");
  for (const auto& [name, table] : tables->entries) {
    const std::string title = "[" + std::string(kind) + "." + escaped(name) + "]";
    if (table.kind != ConfigValue::Kind::Table) return wrong(table, title + " is no table");
    if (!is_valid_name(name)) return wrong(table, title + ": use 1 to 64 letters, digits, '.', '_' or '-'");
    if (Status taken = take(name, table); !taken) return taken;
  }
  return {};
}

Status take_rule(AlertSetup& setup, const std::string& name, const ConfigValue& table) {
  const auto known = std::find_if(setup.rules.begin(), setup.rules.end(),
                                  [&](const AlertRule& rule) { return rule.name == name; });
  AlertRule begun;
  begun.name = name;
  auto rule = read_rule(known == setup.rules.end() ? begun : *known, table);
  if (!rule) return tl::unexpected(rule.error());
  if (known != setup.rules.end()) {
    *known = std::move(*rule);
  } else if (setup.rules.size() >= limits::alert_rules) {
    return wrong(table, "more than " + std::to_string(limits::alert_rules) + " rules");
  } else {
    setup.rules.push_back(std::move(*rule));
  }
  return {};
}

Result<AlertSetup> read_setup(const ConfigValue& file) {
  AlertSetup setup;
  for (const auto& [key, value] : file.entries)
    if (key != "rule" && key != "sink")
      return wrong(value, "[" + escaped(key) + "] is not known here; there are [rule.NAME] and [sink.NAME]");
  Status done = each_table(file, "rule", [&](const std::string& name, const ConfigValue& table) {
    return take_rule(setup, name, table);
  });
  if (!done) return tl::unexpected(done.error());
  done = each_table(file, "sink", [&](const std::string& name, const ConfigValue& table) -> Status {
    auto sink = read_sink(name, table);
    if (!sink) return tl::unexpected(sink.error());
    if (setup.sinks.size() >= limits::alert_sinks)
      return wrong(table, "more than " + std::to_string(limits::alert_sinks) + " sinks");
    setup.sinks.push_back(std::move(*sink));
    return {};
  });
  if (!done) return tl::unexpected(done.error());
  return setup;
}

}  // namespace

Result<AlertSetup> parse_rules(std::string_view text, const std::string& file) {
  const auto read = parse_config(text, file);
  if (!read) return tl::unexpected(read.error());
  return read_setup(*read);
}

Result<AlertSetup> read_rules_file(const std::string& path) {
  const auto read = read_config_file(path);
  if (!read) return tl::unexpected(read.error());
  return read_setup(*read);
}

}  // namespace cidbus
