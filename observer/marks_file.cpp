#include "observer/marks_file.h"

#include <CLI/CLI.hpp>
#include <ctime>

#include "shared/base/limits/observer.h"
#include "shared/content/quote.h"
#include "shared/io/posix_file_system.h"
#include "shared/io/replace_file.h"
#include "shared/settings/config_file.h"
#include "shared/settings/option_table.h"

namespace cidbus {
namespace {

constexpr const char* file_name = "silences.toml";
constexpr std::chrono::hours acknowledgement_kept(31 * 24);

std::string time_problem(const std::string& text) {
  return parse_utc(text) ? "" : in_quotes(text) + " is no time; give one in UTC such as 2026-11-26T12:00:00Z";
}

Result<Silence> read_silence(const std::string& name, const ConfigValue& table) {
  Silence silence;
  silence.name = name;
  std::string until;
  CLI::App app("", "silence." + name);
  app.add_option("--rule", silence.rule)->type_name("TEXT");
  app.add_option("--node", silence.node)->type_name("TEXT");
  app.add_option("--until", until)->type_name("TEXT")->check(time_problem)->required();
  app.add_option("--reason", silence.reason)->type_name("TEXT");
  if (const Status read = read_table(app, table); !read) return tl::unexpected(read.error());
  silence.until = *parse_utc(until);
  return silence;
}

Result<Acknowledgement> read_acknowledgement(const std::string& id, const ConfigValue& table) {
  Acknowledgement mark;
  mark.id = id;
  std::string at;
  CLI::App app("", "seen." + id);
  app.add_option("--by", mark.by)->type_name("TEXT");
  app.add_option("--at", at)->type_name("TEXT")->check(time_problem)->required();
  if (const Status read = read_table(app, table); !read) return tl::unexpected(read.error());
  mark.at = *parse_utc(at);
  return mark;
}

template <typename Mark>
Status read_all(const ConfigValue& file, const char* kind,
                Result<Mark> (*read)(const std::string&, const ConfigValue&), std::vector<Mark>& into) {
  const ConfigValue* const tables = file.find(kind);
  if (tables == nullptr) return {};
  for (const auto& [name, table] : tables->entries) {
    auto mark = read(name, table);
    if (!mark) return tl::unexpected(mark.error());
    if (into.size() >= limits::silences)
      return fault(FaultKind::BadData,
                   to_text(table.place) + ": more than " + std::to_string(limits::silences));
    into.push_back(std::move(*mark));
  }
  return {};
}

// A TOML string, which takes JSON's escapes for what in_quotes would not leave as it is.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char letter : escaped(text)) {
    if (letter == '"' || letter == '\\') result += '\\';
    result += letter;
  }
  return result + "\"";
}

}  // namespace

std::optional<WallTime> parse_utc(const std::string& text) {
  std::tm time{};
  const char* rest = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &time);
  if (rest == nullptr) return std::nullopt;
  if (*rest == '.') {
    for (++rest; *rest >= '0' && *rest <= '9'; ++rest) continue;
  }
  if (std::string_view(rest) != "Z") return std::nullopt;
  return WallTime{static_cast<std::int64_t>(timegm(&time)) * 1000};
}

std::string marks_path(const std::string& folder) { return folder + "/" + file_name; }

Result<AlertMarks> read_marks(const std::string& folder) {
  AlertMarks marks;
  const auto file = read_config_file_if_there(marks_path(folder));
  if (!file) return tl::unexpected(file.error());
  if (!*file) return marks;
  Status done = read_all(**file, "silence", read_silence, marks.silences);
  if (done) done = read_all(**file, "seen", read_acknowledgement, marks.acknowledged);
  if (!done) return tl::unexpected(done.error());
  return marks;
}

Status write_marks(const std::string& folder, AlertMarks marks, WallTime now) {
  std::erase_if(marks.silences, [&](const Silence& silence) { return silence.until <= now; });
  std::erase_if(marks.acknowledged, [&](const Acknowledgement& mark) {
    return now - mark.at > std::chrono::milliseconds(acknowledgement_kept);
  });
  if (marks.silences.size() > limits::silences || marks.acknowledged.size() > limits::silences)
    return fault(FaultKind::TryAgain,
                 "there are " + std::to_string(limits::silences) + " already; end some first");
  std::string text;
  for (const Silence& silence : marks.silences) {
    text += "[silence." + silence.name + "]\nrule = " + quoted(silence.rule) +
            "\nnode = " + quoted(silence.node) + "\nuntil = " + quoted(to_rfc3339(silence.until)) +
            "\nreason = " + quoted(silence.reason) + "\n";
  }
  for (const Acknowledgement& mark : marks.acknowledged)
    text +=
        "[seen." + mark.id + "]\nby = " + quoted(mark.by) + "\nat = " + quoted(to_rfc3339(mark.at)) + "\n";
  PosixFileSystem files;
  return replace_file(files, folder, file_name, as_bytes(text));
}

}  // namespace cidbus
