// What a machine has, as Linux tells it in text: memory, processors, links, uptime, and the share of it that
// a container gives this process.
//
// A container sees its host's /proc/meminfo and /proc/stat, but is stopped at its control group's limits. So
// Machine holds the smaller of the two everywhere, and whoever decides by it never decides by the host's.
// shared/io/machine_reader.h reads the files; here is what they mean.
//
// Sources: proc(5); the kernel's Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
//
// Thread rule: pure. Limits: none; a text that is not what it should be gives nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/time.h"

namespace cidbus {

struct Machine {
  std::uint64_t memory_bytes = 0;            // its share: the control group's limit where that is smaller
  std::uint64_t memory_available_bytes = 0;  // of the share, without swapping; page cache counts as available
  std::uint64_t own_bytes = 0;               // of the share, what this process holds
  double cores = 0;                          // its share: 0.5 is half of one processor's time
  Duration cpu_used{};                       // processor time the share has used; only grows
  // Time in which something of the share waited for a processor; only grows. Nothing: the kernel does not
  // say.
  std::optional<Duration> cpu_stalled;
  Duration own_cpu_used{};       // processor time of this process and those below it; may fall when one ends
  std::uint64_t disk_bytes = 0;  // of the disk that a folder is on
  std::uint64_t disk_available_bytes = 0;      // of it, to this user
  std::optional<std::uint32_t> link_megabits;  // of its fastest link that is up; nothing: no link tells
  Duration uptime{};                           // of the machine
  bool memory_is_limited = false;              // by a control group, below what the host has
  bool cores_are_limited = false;
};

// Of /proc/meminfo.
struct MemoryInfo {
  std::uint64_t total_bytes = 0;
  std::uint64_t available_bytes = 0;
};
[[nodiscard]] std::optional<MemoryInfo> parse_memory_info(std::string_view text);

// Of /proc/stat: the time that all processors together were neither idle nor waiting for a disk.
[[nodiscard]] std::optional<Duration> parse_busy_time(std::string_view text);
// Of /proc/pressure/cpu, or cpu.pressure: for how long something waited for a processor.
[[nodiscard]] std::optional<Duration> parse_stalled_time(std::string_view text);
// Of /proc/PID/stat: processor time of the process, and of those below it that have ended and were waited
// for.
[[nodiscard]] std::optional<Duration> parse_process_time(std::string_view text);
// Of /proc/uptime.
[[nodiscard]] std::optional<Duration> parse_uptime(std::string_view text);
// How many processors /proc/self/status allows this process: "0-3,8" are five.
[[nodiscard]] std::optional<std::uint32_t> parse_allowed_processors(std::string_view text);
// What this process holds in memory, of /proc/self/status.
[[nodiscard]] std::optional<std::uint64_t> parse_resident_bytes(std::string_view text);
// Of /sys/class/net/NAME/speed; nothing for a link that does not know.
[[nodiscard]] std::optional<std::uint32_t> parse_link_speed(std::string_view text);

// Where a control group's files are: in `folder`, and, as a limit of any group above holds as well, in each
// folder above it up to the hierarchy's own.
struct ControlGroup {
  bool unified = true;  // version 2: all files in one hierarchy
  std::vector<std::string>
      folders;  // below /sys/fs/cgroup, innermost first: "memory/a/b", "memory/a", "memory"
};
// Of /proc/self/cgroup, for "memory", "cpu" or "cpuacct".
[[nodiscard]] ControlGroup parse_control_group(std::string_view text, std::string_view controller);

// Of memory.max or memory.limit_in_bytes; nothing when there is no limit.
[[nodiscard]] std::optional<std::uint64_t> parse_memory_limit(std::string_view text);
// Of cpu.max: "50000 100000" is half a processor; nothing when there is no limit.
[[nodiscard]] std::optional<double> parse_cpu_limit(std::string_view text);
// The whole number in a file of one, or behind `name` in one of "NAME NUMBER" lines.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text);
[[nodiscard]] std::optional<std::uint64_t> parse_number_of(std::string_view text, std::string_view name);

// A limit on memory, and what of it is used without what the kernel gives back when it is short.
struct MemoryShare {
  std::uint64_t limit_bytes = 0;
  std::uint64_t used_bytes = 0;
};
// Narrows the machine to a share, if that is less than what it has.
void limit_memory(Machine& machine, const MemoryShare& share);
void limit_cores(Machine& machine, double cores);

}  // namespace cidbus
