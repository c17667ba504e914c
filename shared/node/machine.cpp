#include "shared/node/machine.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace cidbus {
namespace {

constexpr std::uint64_t ticks_a_second = 100;   // USER_HZ, in which /proc tells times on every architecture
constexpr std::uint64_t no_limit = 1ULL << 60;  // version 1 writes a number of about 2^63 for "none"

std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::string_view take_word(std::string_view& text) {
  const auto begin = std::min(text.find_first_not_of(" \t\n"), text.size());
  text.remove_prefix(begin);
  const auto end = std::min(text.find_first_of(" \t\n"), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

template <typename T>
std::optional<T> number(std::string_view word) {
  T value{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}

// What follows `name` in its line; nothing when no line begins with it.
std::optional<std::string_view> line_of(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (take_word(line) == name) return line;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> kibibytes_of(std::string_view text, std::string_view name) {
  const auto found = parse_number_of(text, name);
  return found ? std::optional(*found << 10) : std::nullopt;
}

bool lists(std::string_view controllers, std::string_view wanted) {
  while (!controllers.empty()) {
    const auto comma = std::min(controllers.find(','), controllers.size());
    if (controllers.substr(0, comma) == wanted) return true;
    controllers.remove_prefix(std::min(comma + 1, controllers.size()));
  }
  return false;
}

// "a/b", "a" and "" for "/a/b", each behind `top`.
std::vector<std::string> folders_up(const std::string& top, std::string_view path) {
  std::vector<std::string> folders;
  while (true) {
    while (path.ends_with('/')) path.remove_suffix(1);
    folders.push_back(top + std::string(path));
    if (path.empty()) return folders;
    path = path.substr(0, path.rfind('/') + 1);
  }
}

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view text) {
  return number<std::uint64_t>(take_word(text));
}

std::optional<std::uint64_t> parse_number_of(std::string_view text, std::string_view name) {
  const auto line = line_of(text, name);
  return line ? parse_number(*line) : std::nullopt;
}

std::optional<MemoryInfo> parse_memory_info(std::string_view text) {
  const auto total = kibibytes_of(text, "MemTotal:");
  const auto available = kibibytes_of(text, "MemAvailable:");
  if (!total || !available) return std::nullopt;
  return MemoryInfo{*total, std::min(*available, *total)};
}

std::optional<Duration> parse_busy_time(std::string_view text) {
  auto line = line_of(text, "cpu");
  if (!line) return std::nullopt;
  // user nice system idle iowait irq softirq steal; guest times are in user and nice already.
  constexpr std::array<bool, 8> is_busy{true, true, true, false, false, true, true, true};
  std::uint64_t ticks = 0;
  for (const bool busy : is_busy) {
    const auto value = number<std::uint64_t>(take_word(*line));
    if (!value) return std::nullopt;
    if (busy) ticks += *value;
  }
  return std::chrono::milliseconds(ticks * (1000 / ticks_a_second));
}

std::optional<Duration> parse_stalled_time(std::string_view text) {
  constexpr std::string_view total = "total=";
  const auto some = line_of(text, "some");
  const auto at = some ? some->find(total) : std::string_view::npos;
  if (at == std::string_view::npos) return std::nullopt;
  const auto microseconds = parse_number(some->substr(at + total.size()));
  return microseconds ? std::optional<Duration>(std::chrono::microseconds(*microseconds)) : std::nullopt;
}

std::optional<Duration> parse_process_time(std::string_view text) {
  constexpr int times_from = 11;  // utime, stime, cutime, cstime; counted behind the program's name
  const auto name_end = text.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  text.remove_prefix(name_end + 1);
  for (int skipped = 0; skipped < times_from; ++skipped) take_word(text);
  std::uint64_t ticks = 0;
  for (int field = 0; field < 4; ++field) {
    const auto one = number<std::uint64_t>(take_word(text));
    if (!one || *one > 1ULL << 40) return std::nullopt;
    ticks += *one;
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(ticks * 10));  // USER_HZ is 100 everywhere
}

std::optional<Duration> parse_uptime(std::string_view text) {
  const auto seconds = number<double>(take_word(text));
  if (!seconds || *seconds < 0 || *seconds > 1e10) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(*seconds * 1000));
}

std::optional<std::uint32_t> parse_allowed_processors(std::string_view text) {
  auto line = line_of(text, "Cpus_allowed_list:");
  if (!line) return std::nullopt;
  std::string_view list = take_word(*line);
  std::uint32_t count = 0;
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    const std::string_view range = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    const auto dash = range.find('-');
    const auto first = number<std::uint32_t>(range.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : number<std::uint32_t>(range.substr(dash + 1));
    if (!first || !last || *last < *first) return std::nullopt;
    count += *last - *first + 1;
  }
  return count == 0 ? std::nullopt : std::optional(count);
}

std::optional<std::uint64_t> parse_resident_bytes(std::string_view text) {
  return kibibytes_of(text, "VmRSS:");
}

std::optional<std::uint32_t> parse_link_speed(std::string_view text) {
  const auto speed = number<std::uint32_t>(take_word(text));  // -1 is no number of this kind
  return speed && *speed > 0 ? speed : std::nullopt;
}

ControlGroup parse_control_group(std::string_view text, std::string_view controller) {
  ControlGroup group{true, {""}};
  while (!text.empty()) {
    std::string_view line = take_line(text);  // 4:cpu,cpuacct:/a/b of version 1, 0::/a/b of version 2
    const auto first = line.find(':');
    const auto second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    const std::string_view path = line.substr(second + 1);
    if (lists(controllers, controller)) return {false, folders_up(std::string(controller), path)};
    if (controllers.empty()) group.folders = folders_up("", path);
  }
  return group;
}

std::optional<std::uint64_t> parse_memory_limit(std::string_view text) {
  const auto limit = parse_number(text);  // "max" is no number
  return limit && *limit < no_limit ? limit : std::nullopt;
}

std::optional<double> parse_cpu_limit(std::string_view text) {
  const auto quota = number<std::uint64_t>(take_word(text));  // neither "max" nor -1 is one
  const auto period = number<std::uint64_t>(take_word(text));
  if (!quota || !period || *quota == 0 || *period == 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

void limit_memory(Machine& machine, const MemoryShare& share) {
  if (share.limit_bytes < machine.memory_bytes) {
    machine.memory_bytes = share.limit_bytes;
    machine.memory_is_limited = true;
  }
  const std::uint64_t left = share.limit_bytes - std::min(share.used_bytes, share.limit_bytes);
  machine.memory_available_bytes = std::min(machine.memory_available_bytes, left);
}

void limit_cores(Machine& machine, double cores) {
  if (cores >= machine.cores) return;
  machine.cores = cores;
  machine.cores_are_limited = true;
}

}  // namespace cidbus
