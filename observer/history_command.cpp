#include "observer/history_command.h"

#include <CLI/CLI.hpp>
#include <array>
#include <string>
#include <string_view>

#include "client/command/json_writer.h"
#include "client/command/values.h"
#include "observer/console.h"
#include "observer/history_file.h"
#include "observer/marks_file.h"
#include "shared/base/glob.h"
#include "shared/content/quote.h"
#include "shared/io/clock.h"
#include "shared/io/node_options.h"
#include "shared/io/process.h"
#include "shared/settings/option_table.h"

namespace cidbus {
namespace {

constexpr const char* program = "cidbus-observer history";
constexpr std::int64_t hour = 3600;
constexpr std::int64_t window_spans = 3600;  // of one series, unless --every says otherwise
constexpr const char* footer = R"(Examples:
  cidbus-observer history list --data /var/lib/cidbus/o1
  cidbus-observer history show --data /var/lib/cidbus/o1 --node w1 --last 24h
  cidbus-observer history export --data /var/lib/cidbus/o1 --series 'tasks_*' --last 7d --format csv
Series of the cluster as a whole have no node: --node ''. The observer may run meanwhile.
RATE is of a counter, TREND the slope of the line through all values; both a second.)";

struct Flags {
  std::string data, node = "*", series = "*", last, from, to, every, format = "csv", output = "table";
};

struct Window {
  std::int64_t from = 0;
  std::int64_t to = 0;
  Resolution resolution = Resolution::Second;
};

Result<std::int64_t> time_of(const char* flag, const std::string& text) {
  if (const auto time = parse_utc(text)) return time->milliseconds / 1000;
  return fault(FaultKind::BadUsage, std::string(flag) + " " + in_quotes(text) +
                                        " is no time; give one in UTC such as 2026-11-26T12:00:00Z");
}

Result<Window> window_of(const Flags& flags) {
  Window window;
  window.to = read_clock().wall.milliseconds / 1000 + 1;
  if (!flags.last.empty() && !flags.from.empty())
    return fault(FaultKind::BadUsage, "--last and --from exclude each other; leave one out");
  if (!flags.to.empty()) {
    const auto to = time_of("--to", flags.to);
    if (!to) return tl::unexpected(to.error());
    window.to = *to;
  }
  window.from = window.to - hour;
  if (!flags.from.empty()) {
    const auto from = time_of("--from", flags.from);
    if (!from) return tl::unexpected(from.error());
    window.from = *from;
  } else if (!flags.last.empty()) {
    const auto last = parse_duration(flags.last);
    if (!last) return tl::unexpected(last.error());
    window.from = window.to - std::chrono::ceil<std::chrono::seconds>(*last).count();
  }
  if (window.from >= window.to) return fault(FaultKind::BadUsage, "the window ends before it begins");
  return window;
}

// The span of a row: as it was told, or the finest that the file has for the window.
Status choose_resolution(Window& window, const Flags& flags, HistoryFile& file) {
  const auto kept = file.kept_since();
  if (!kept) return tl::unexpected(kept.error());
  window.resolution = !flags.every.empty() ? *parse_resolution(flags.every)
                                           : finest_resolution(window.from, window.to, *kept, window_spans);
  if (rows_of(window.resolution, window.to - window.from) > static_cast<std::int64_t>(limits::history_rows))
    return fault(FaultKind::BadUsage, "the window is too long; take a shorter one, or --every hour");
  return {};
}

bool is_asked_for(const Flags& flags, const SeriesName& name) {
  return matches_glob(flags.node, name.node) && matches_glob(flags.series, name.series);
}

std::string rounded(double number) {
  std::array<char, 32> text{};
  const int length = std::snprintf(text.data(), text.size(), "%.6g", number);
  return {text.data(), static_cast<std::size_t>(length)};
}
std::string exact(double number) { return JsonWriter().real(number).text(); }

std::string csv_cell(std::string_view text) {
  if (text.find_first_of(",\"\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char letter : text) quoted += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return quoted + "\"";
}

std::string time_text(std::int64_t second) { return to_rfc3339({second * 1000}); }

class Reader {
 public:
  Reader(HistoryFile& file, const Flags& flags, Output& output)
      : file_(file), flags_(flags), output_(output) {}

  Status list() {
    std::vector<std::vector<std::string>> rows{{}};
    for (const char* name : {"NODE", "SERIES", "NEWEST HOUR"}) rows[0].push_back(output_.heading(name));
    output_.open_list();
    const Status done = each([&](const SeriesSpan& span) -> Status {
      JsonWriter json;
      json.open_object().name("node").string_or_null(span.name.node).name("series").string(span.name.series);
      json.name("newest_hour").string(time_text(span.newest_hour)).close_object();
      show(rows, {span.name.node, span.name.series, time_text(span.newest_hour)}, json.text());
      return {};
    });
    output_.close_list();
    if (output_.format() == Format::Table) output_.table(rows);
    return done;
  }

  Status figures(const Window& window) {
    std::vector<std::vector<std::string>> rows{{}};
    for (const char* name :
         {"NODE", "SERIES", "NOW", "AVG", "MIN", "MAX", "P50", "P95", "P99", "RATE/S", "TREND/S"})
      rows[0].push_back(output_.heading(name));
    output_.open_list();
    const Status done = each([&](const SeriesSpan& span) -> Status {
      std::vector<Bucket> buckets;
      const Status read = file_.read(span.name, window.resolution, window.from, window.to,
                                     [&](const Bucket& bucket) { buckets.push_back(bucket); });
      if (!read) return read;
      const auto found = figures_of(buckets);
      if (!found) return {};
      std::vector<std::string> row{span.name.node, span.name.series};
      JsonWriter json;
      json.open_object().name("node").string_or_null(span.name.node).name("series").string(span.name.series);
      json.name("points").number(found->count);
      for (const auto& [name, value] :
           {std::pair("current", found->last), std::pair("avg", found->average),
            std::pair("min", found->minimum), std::pair("max", found->maximum), std::pair("p50", found->p50),
            std::pair("p95", found->p95), std::pair("p99", found->p99), std::pair("rate", found->rate),
            std::pair("trend", found->trend)}) {
        row.push_back(rounded(value));
        json.name(name).real(value);
      }
      show(rows, std::move(row), json.close_object().text());
      return {};
    });
    output_.close_list();
    if (output_.format() == Format::Table) output_.table(rows);
    return done;
  }

  Status rows(const Window& window) {
    const bool csv = flags_.format == "csv";
    if (csv) output_.line("time,node,series,avg,min,max,last,points");
    output_.open_list();
    const Status done = each([&](const SeriesSpan& span) {
      return file_.read(span.name, window.resolution, window.from, window.to, [&](const Bucket& bucket) {
        csv ? output_.line(csv_row(span.name, bucket)) : output_.item(json_row(span.name, bucket));
      });
    });
    output_.close_list();
    return done;
  }

 private:
  Status each(const std::function<Status(const SeriesSpan&)>& act) {
    const auto spans = file_.list();
    if (!spans) return tl::unexpected(spans.error());
    bool any = false;
    for (const SeriesSpan& span : *spans) {
      if (!is_asked_for(flags_, span.name)) continue;
      any = true;
      if (Status done = act(span); !done) return done;
    }
    if (any) return {};
    return fault(FaultKind::NotFound, "no series is called so; 'cidbus-observer history list' shows them");
  }
  void show(std::vector<std::vector<std::string>>& rows, std::vector<std::string> row,
            const std::string& json) {
    if (output_.is_json()) output_.item(json);
    if (output_.format() == Format::Quiet) output_.line(row[0] + (row[0].empty() ? "" : " ") + row[1]);
    if (row[0].empty()) row[0] = "-";
    rows.push_back(std::move(row));
  }
  static std::string csv_row(const SeriesName& name, const Bucket& bucket) {
    return time_text(bucket.start) + "," + csv_cell(name.node) + "," + csv_cell(name.series) + "," +
           exact(bucket.average()) + "," + exact(bucket.minimum) + "," + exact(bucket.maximum) + "," +
           exact(bucket.last) + "," + std::to_string(bucket.count);
  }
  static std::string json_row(const SeriesName& name, const Bucket& bucket) {
    JsonWriter json;
    json.open_object().name("time").string(time_text(bucket.start));
    json.name("node").string_or_null(name.node).name("series").string(name.series);
    json.name("avg").real(bucket.average()).name("min").real(bucket.minimum).name("max").real(bucket.maximum);
    json.name("last").real(bucket.last).name("points").number(bucket.count).close_object();
    return json.text();
  }

  HistoryFile& file_;
  const Flags& flags_;
  Output& output_;
};

CLI::App& add(CLI::App& app, Flags& flags, const char* name, const char* what) {
  CLI::App& command = *app.add_subcommand(name, what);
  command.add_option("--data", flags.data, "The observer's folder")->type_name("FOLDER")->required();
  command.add_option("--node", flags.node, "Of which nodes; * and ? stand for any")->type_name("GLOB");
  command.add_option("--series", flags.series, "Which series, likewise")->type_name("GLOB");
  return command;
}

void add_window(CLI::App& command, Flags& flags) {
  command.add_option("--last", flags.last, "Until now, from this long ago, such as 30m, 24h, 7d; an hour")
      ->type_name("D");
  command.add_option("--from", flags.from, "From this time on, in UTC: 2026-11-26T12:00:00Z")
      ->type_name("TIME");
  command.add_option("--to", flags.to, "Until this time; now when left out")->type_name("TIME");
  CLI::Option* const every = command.add_option(
      "--every", flags.every, "Span of a row; otherwise the finest there is that makes at most 3600");
  allow_only(*every->type_name("WORD"), {"second", "minute", "hour"});
}

Status run(const CLI::App& app, const Flags& flags) {
  auto window = window_of(flags);
  if (!window) return tl::unexpected(window.error());
  auto file = HistoryFile::open_read_only(flags.data);
  if (!file) return tl::unexpected(file.error());
  if (Status chosen = choose_resolution(*window, flags, *file); !chosen) return chosen;
  const bool exports = app.got_subcommand("export");
  Console console(*parse_format(!exports ? flags.output : flags.format == "csv" ? "table" : flags.format));
  Output& output = console.output;
  Reader reader(*file, flags, output);
  Status done = app.got_subcommand("list") ? reader.list()
                : exports                  ? reader.rows(*window)
                                           : reader.figures(*window);
  if (done) done = output.flush();
  return done;
}

}  // namespace

std::optional<int> run_history_command(int argc, const char* const* argv) {
  if (argc < 2 || std::string_view(argv[1]) != "history") return std::nullopt;
  Flags flags;
  CLI::App app("Shows and exports what an observer has measured.", program);
  app.require_subcommand(1);
  app.footer(footer);
  add_output_option(add(app, flags, "list", "The series there are"), flags.output);
  CLI::App& show = add(app, flags, "show", "Average, extremes, percentiles, rate and trend of a window");
  add_window(show, flags);
  add_output_option(show, flags.output);
  CLI::App& rows = add(app, flags, "export", "Every value of a window");
  add_window(rows, flags);
  CLI::Option* const format = rows.add_option("--format", flags.format, "What is written to standard output");
  allow_only(*format->type_name("WORD")->capture_default_str(), {"csv", "json", "ndjson"});
  if (const auto ended = parse_command_line(app, argc - 1, argv + 1)) return ended;
  if (const Status status = run(app, flags); !status) return report_fault(program, status.error());
  return 0;
}

}  // namespace cidbus
