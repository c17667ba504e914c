#include "client/command/values.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <filesystem>

#include "client/command/json_writer.h"
#include "shared/base/limits/words.h"
#include "shared/content/quote.h"

namespace cidbus {
namespace {

using std::chrono::milliseconds;

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 5> units{
    {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}}};
constexpr std::uint64_t longest_milliseconds = 1000ULL * 86'400'000;

bool is_there(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(std::filesystem::symlink_status(path, error));
}

}  // namespace

Result<milliseconds> parse_duration(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return fault(FaultKind::BadUsage, in_quotes(text) + " is no duration: " + std::string(why) +
                                          "; give a whole number and a unit: 500ms, 30s, 5m, 2h or 7d");
  };
  std::uint64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [number_end, error] = std::from_chars(text.data(), end, count);
  if (error == std::errc::result_out_of_range) return wrong("it is too long");
  if (error != std::errc()) return wrong("it does not begin with a number");
  const std::string_view unit(number_end, static_cast<std::size_t>(end - number_end));
  for (const auto& [name, factor] : units) {
    if (unit != name) continue;
    if (count == 0) return wrong("it is zero");
    if (count > longest_milliseconds / factor) return wrong("it is longer than 1000 days");
    return milliseconds(count * factor);
  }
  return wrong(unit.empty() ? "it has no unit" : "its unit is not known");
}

Result<std::pair<std::string, std::string>> parse_parameter(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos)
    return fault(FaultKind::BadUsage, in_quotes(text) + " is no parameter; give NAME=VALUE");
  const std::string_view name = text.substr(0, equals);
  if (!is_valid_name(name)) {
    return fault(FaultKind::BadUsage, in_quotes(name) + " cannot name a parameter; use 1 to " +
                                          std::to_string(limits::name_length) + " of A-Z a-z 0-9 . _ -");
  }
  return std::pair{std::string(name), std::string(text.substr(equals + 1))};
}

Result<TaskId> parse_task(std::string_view text) {
  if (const auto task = parse_task_id(text)) return *task;
  return fault(FaultKind::BadUsage,
               in_quotes(text) + " is no task id; ids look like t4kq7, and 'cidbus task list' shows them");
}

Result<Input> parse_input(std::string_view text) {
  const std::string path(text);
  if (text.find('/') == std::string_view::npos) {
    const auto cid = Cid::parse(text);
    if (cid) return Input(*cid);
    if (!is_there(path)) {
      return fault(FaultKind::BadData, in_quotes(text) + " is neither a CID nor a file here (" +
                                           cid.error().message + "); check the name");
    }
  } else if (!is_there(path)) {
    return fault(FaultKind::BadData, in_quotes(text) + ": no such file or folder; check the path");
  }
  return Input(path);
}

std::string printable(std::string_view text) { return escaped(valid_utf8(text)); }

std::string readable_bytes(std::uint64_t bytes) {
  constexpr std::array<const char*, 6> names{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  double amount = static_cast<double>(bytes);
  std::size_t name = 0;
  for (; amount >= 1024 && name + 1 < names.size(); ++name) amount /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", amount, names[name]);
  return text.data();
}

}  // namespace cidbus
