#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <string_view>

#include "client/command/json_writer.h"
#include "client/command/values.h"
#include "observer/alert_sinks.h"
#include "observer/alerts_command.h"
#include "observer/console.h"
#include "observer/core/alert_engine.h"
#include "observer/history_file.h"
#include "observer/rules_file.h"
#include "shared/base/glob.h"
#include "shared/io/clock.h"
#include "shared/io/node_options.h"
#include "shared/io/process.h"

namespace cidbus {
namespace {

constexpr const char* program = "cidbus-observer rules";
constexpr const char* footer = R"(Examples:
  cidbus-observer rules list
  cidbus-observer rules test my-rules.toml
  cidbus-observer rules test my-rules.toml --data /var/lib/cidbus/o1 --last 24h
test reads the file as --rules does; with --data it runs the rules on the history there, second by second,
and prints what would have been raised and resolved.)";

struct Flags {
  std::string file, data, last = "1h", output = "table";
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

Status print_rules(Output& output, const AlertSetup& setup) {
  std::vector<std::vector<std::string>> rows{{}};
  for (const char* name : {"RULE", "NODES", "WHEN", "HIDES"}) rows[0].push_back(output.heading(name));
  output.open_list();
  for (const AlertRule& rule : setup.rules) {
    const std::string when = rule.enabled ? condition_text(rule) : "off: " + rule.meaning;
    if (output.is_json()) {
      JsonWriter json;
      json.open_object().name("rule").string(rule.name).name("enabled").boolean(rule.enabled);
      json.name("series").string(rule.series).name("node").string(rule.node);
      json.name("condition").string(condition_text(rule)).close_object();
      output.item(json.text());
    }
    if (output.format() == Format::Quiet) output.line(rule.name);
    rows.push_back({rule.name, rule.node.empty() ? "-" : rule.node, when, joined(rule.hides)});
  }
  output.close_list();
  if (output.format() == Format::Table) {
    output.table(rows);
    for (const AlertSink& sink : setup.sinks)
      output.line("sink " + sink.name + ": " + (sink.command.empty() ? sink.webhook : joined(sink.command)) +
                  (sink.least == AlertLevel::Critical ? ", critical only" : ""));
  }
  return output.flush();
}

// What history has of the series that rules look at, by the second.
using Seconds = std::map<std::int64_t, std::vector<std::pair<SeriesName, double>>>;

Result<Seconds> read_seconds(HistoryFile& file, const AlertSetup& setup, std::int64_t from, std::int64_t to) {
  const auto spans = file.list();
  if (!spans) return tl::unexpected(spans.error());
  Seconds seconds;
  std::size_t count = 0;
  for (const SeriesSpan& span : *spans) {
    const bool wanted = std::any_of(setup.rules.begin(), setup.rules.end(), [&](const AlertRule& rule) {
      return rule.enabled && matches_glob(rule.series, span.name.series) &&
             matches_glob(rule.node, span.name.node);
    });
    if (!wanted) continue;
    const Status read = file.read(span.name, Resolution::Second, from, to, [&](const Bucket& bucket) {
      if (++count <= limits::history_rows) seconds[bucket.start].emplace_back(span.name, bucket.last);
    });
    if (!read) return tl::unexpected(read.error());
  }
  if (count > limits::history_rows)
    return fault(FaultKind::BadUsage, "there are " + std::to_string(count) +
                                          " values in that time, too many; give a shorter --last");
  return seconds;
}

Status replay(Output& output, const AlertSetup& setup, const Flags& flags) {
  const auto last = parse_duration(flags.last);
  if (!last) return tl::unexpected(last.error());
  auto file = HistoryFile::open_read_only(flags.data);
  if (!file) return tl::unexpected(file.error());
  const std::int64_t to = read_clock().wall.milliseconds / 1000 + 1;
  const auto seconds =
      read_seconds(*file, setup, to - std::chrono::ceil<std::chrono::seconds>(*last).count(), to);
  if (!seconds) return tl::unexpected(seconds.error());
  AlertEngine engine(setup.rules);
  History history;
  output.open_list();
  for (const auto& [second, values] : *seconds) {
    const WallTime now{second * 1000};
    for (const auto& [name, value] : values) {
      const Sample sample{name.node, name.series, now, value};
      engine.on_sample(sample, history);
      history.add(sample);
    }
    for (const AlertNotice& notice : engine.on_tick(now, "", false)) {
      if (output.is_json())
        output.item(alert_json("", "", notice));
      else
        output.line(to_rfc3339(now) + "  " + std::string(to_text(notice.change)) + " " +
                    std::string(to_text(notice.alert.level)) + " " + notice.alert.rule + ": " +
                    printable(notice.alert.text));
    }
  }
  output.close_list();
  return output.flush();
}

Status run(const CLI::App& app, const Flags& flags) {
  Console console(*parse_format(flags.output));
  if (app.got_subcommand("list")) return print_rules(console.output, AlertSetup());
  const auto setup = read_rules_file(flags.file);
  if (!setup) return tl::unexpected(setup.error());
  return flags.data.empty() ? print_rules(console.output, *setup) : replay(console.output, *setup, flags);
}

}  // namespace

std::optional<int> run_rules_command(int argc, const char* const* argv) {
  if (argc < 2 || std::string_view(argv[1]) != "rules") return std::nullopt;
  Flags flags;
  CLI::App app("Shows the rules for alerts, and tries a file of them.", program);
  app.require_subcommand(1);
  app.footer(footer);
  add_output_option(*app.add_subcommand("list", "The rules that every observer has"), flags.output);
  CLI::App& test = *app.add_subcommand("test", "Read a file of rules, and say what they come to");
  test.add_option("FILE", flags.file, "As --rules takes it")->type_name("")->required();
  test.add_option("--data", flags.data, "An observer's folder: try them on its history")->type_name("FOLDER");
  test.add_option("--last", flags.last, "On how much of it")->type_name("D")->capture_default_str();
  add_output_option(test, flags.output);
  if (const auto ended = parse_command_line(app, argc - 1, argv + 1)) return ended;
  if (const Status status = run(app, flags); !status) return report_fault(program, status.error());
  return 0;
}

}  // namespace cidbus
