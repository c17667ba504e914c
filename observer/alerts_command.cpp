#include "observer/alerts_command.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <string>
#include <string_view>

#include "client/command/json_writer.h"
#include "client/command/values.h"
#include "observer/console.h"
#include "observer/history_file.h"
#include "observer/marks_file.h"
#include "shared/content/quote.h"
#include "shared/io/clock.h"
#include "shared/io/node_options.h"
#include "shared/io/process.h"

namespace cidbus {
namespace {

constexpr const char* program = "cidbus-observer alerts";
constexpr const char* footer = R"(Examples:
  cidbus-observer alerts list --data /var/lib/cidbus/o1
  cidbus-observer alerts silence --data /var/lib/cidbus/o1 --node 'w*' --for 2h --reason 'the rack is moved'
  cidbus-observer alerts ack 3f2a90c1d4e5b607 --data /var/lib/cidbus/o1
The observer heeds it within a second. A silenced alert is told when its silence ends, if it is there still;
one that somebody has acknowledged is told no more, but that it is over.)";

struct Flags {
  std::string data, rule = "*", node = "*", length, reason, id, name, output = "table";
  bool all = false;
};

std::string time_or_dash(WallTime time) { return time.milliseconds == 0 ? "-" : to_rfc3339(time); }

std::string mark_of(const AlertMarks& marks, const PastAlert& past, WallTime now) {
  if (past.resolved_at.milliseconds != 0) return "resolved";
  if (const Acknowledgement* seen = marks.acknowledgement_of(past.alert)) return "seen by " + seen->by;
  if (const Silence* silence = marks.silence_of(past.alert, now)) return "silenced by " + silence->name;
  return "raised";
}

std::string alert_row_json(const PastAlert& past, const std::string& state) {
  const Alert& alert = past.alert;
  JsonWriter json;
  json.open_object().name("id").string(alert.id).name("state").string(state);
  json.name("level").string(to_text(alert.level)).name("rule").string(alert.rule);
  json.name("node").string_or_null(alert.node).name("series").string(alert.series);
  json.name("value").real(alert.value).name("text").string(alert.text);
  json.name("raised_at").string(to_rfc3339(alert.raised_at));
  json.name("resolved_at").string_or_null(to_rfc3339(past.resolved_at));
  return json.close_object().text();
}

Status list(const Flags& flags) {
  auto file = HistoryFile::open_read_only(flags.data);
  if (!file) return tl::unexpected(file.error());
  const auto alerts = file->alerts(flags.all);
  if (!alerts) return tl::unexpected(alerts.error());
  const auto marks = read_marks(flags.data);
  if (!marks) return tl::unexpected(marks.error());
  const WallTime now = read_clock().wall;
  Console console(*parse_format(flags.output));
  Output& output = console.output;
  std::vector<std::vector<std::string>> rows{{}};
  for (const char* name : {"ID", "LEVEL", "STATE", "SINCE", "UNTIL", "WHAT"})
    rows[0].push_back(output.heading(name));
  output.open_list();
  for (const PastAlert& past : *alerts) {
    const std::string state = mark_of(*marks, past, now);
    if (output.is_json()) output.item(alert_row_json(past, state));
    if (output.format() == Format::Quiet) output.line(past.alert.id);
    rows.push_back({past.alert.id, std::string(to_text(past.alert.level)), printable(state),
                    time_or_dash(past.alert.raised_at), time_or_dash(past.resolved_at),
                    printable(past.alert.text)});
  }
  output.close_list();
  if (output.format() == Format::Table) output.table(rows);
  return output.flush();
}

Status write(const Flags& flags, const AlertMarks& marks, WallTime now, const std::string& said) {
  if (Status written = write_marks(flags.data, marks, now); !written) return written;
  std::printf("%s\n", said.c_str());
  return {};
}

Status silence(const Flags& flags) {
  if (flags.rule == "*" && flags.node == "*")
    return fault(FaultKind::BadUsage, "silence needs --rule or --node, so that it is said what is silenced");
  const auto length = parse_duration(flags.length);
  if (!length) return tl::unexpected(length.error());
  auto marks = read_marks(flags.data);
  if (!marks) return tl::unexpected(marks.error());
  const WallTime now = read_clock().wall;
  std::string name;
  for (int number = 1; name.empty(); ++number) {
    name = "s" + std::to_string(number);
    for (const Silence& known : marks->silences)
      if (known.name == name) name.clear();
  }
  marks->silences.push_back({name, flags.rule, flags.node, now + *length, flags.reason});
  return write(flags, *marks, now, name);
}

Status unsilence(const Flags& flags) {
  auto marks = read_marks(flags.data);
  if (!marks) return tl::unexpected(marks.error());
  const auto removed =
      std::erase_if(marks->silences, [&](const Silence& known) { return known.name == flags.name; });
  if (removed == 0) return fault(FaultKind::NotFound, "no silence is called " + in_quotes(flags.name));
  return write(flags, *marks, read_clock().wall, flags.name);
}

Status acknowledge(const Flags& flags) {
  auto file = HistoryFile::open_read_only(flags.data);
  if (!file) return tl::unexpected(file.error());
  const auto alerts = file->alerts(false);
  if (!alerts) return tl::unexpected(alerts.error());
  const bool there = std::any_of(alerts->begin(), alerts->end(),
                                 [&](const PastAlert& past) { return past.alert.id == flags.id; });
  if (!there)
    return fault(FaultKind::NotFound,
                 "no alert " + in_quotes(flags.id) + " is raised; 'cidbus-observer alerts list' shows them");
  auto marks = read_marks(flags.data);
  if (!marks) return tl::unexpected(marks.error());
  const char* const user = std::getenv("USER");
  const WallTime now = read_clock().wall;
  std::erase_if(marks->acknowledged, [&](const Acknowledgement& known) { return known.id == flags.id; });
  // Times in the file are whole seconds: an alert of this second counts too.
  marks->acknowledged.push_back(
      {flags.id, user == nullptr ? "somebody" : user, now + std::chrono::seconds(1)});
  return write(flags, *marks, now, flags.id);
}

}  // namespace

std::optional<int> run_alerts_command(int argc, const char* const* argv) {
  if (argc < 2 || std::string_view(argv[1]) != "alerts") return std::nullopt;
  Flags flags;
  CLI::App app("Shows the alerts of an observer, silences and acknowledges them.", program);
  app.require_subcommand(1);
  app.footer(footer);
  const auto add = [&](const char* name, const char* what) -> CLI::App& {
    CLI::App& command = *app.add_subcommand(name, what);
    command.add_option("--data", flags.data, "The observer's folder")->type_name("FOLDER")->required();
    return command;
  };
  CLI::App& shows = add("list", "Those that are raised");
  shows.add_flag("--all", flags.all, "And those of the last 30 days that are over");
  add_output_option(shows, flags.output);
  CLI::App& silences = add("silence", "Tell nobody of some alerts for a while; prints the silence's name");
  silences.add_option("--rule", flags.rule, "Of which rules; * and ? stand for any")->type_name("GLOB");
  silences.add_option("--node", flags.node, "Of which nodes, likewise")->type_name("GLOB");
  silences.add_option("--for", flags.length, "For how long: 30m, 2h, 7d")->type_name("D")->required();
  silences.add_option("--reason", flags.reason, "Why, for others")->type_name("TEXT");
  add("unsilence", "End a silence")
      .add_option("NAME", flags.name, "Of the silence")
      ->type_name("")
      ->required();
  add("ack", "Say that somebody looks after an alert")
      .add_option("ID", flags.id, "Of the alert")
      ->type_name("")
      ->required();
  if (const auto ended = parse_command_line(app, argc - 1, argv + 1)) return ended;
  const Status status = app.got_subcommand("list")        ? list(flags)
                        : app.got_subcommand("silence")   ? silence(flags)
                        : app.got_subcommand("unsilence") ? unsilence(flags)
                                                          : acknowledge(flags);
  return status ? 0 : report_fault(program, status.error());
}

}  // namespace cidbus
