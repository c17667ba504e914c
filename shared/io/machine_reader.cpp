#include "shared/io/machine_reader.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace cidbus {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t most_bytes = 64 << 10;
constexpr std::size_t most_processes = 1000;  // started by this one, whose time is counted

// Empty when it cannot be read.
std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(most_bytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  return text;
}

// The processes that the threads of one have started, and theirs.
void list_processes(const std::string& proc, const std::string& process, std::vector<std::string>& found) {
  std::error_code error;
  for (fs::directory_iterator threads(proc + "/" + process + "/task", error), end; !error && threads != end;
       threads.increment(error)) {
    std::istringstream children(read_text(threads->path().string() + "/children"));
    for (std::string child; children >> child && found.size() < most_processes;) {
      found.push_back(child);
      list_processes(proc, child, found);
    }
  }
}

Duration read_own_cpu(const std::string& proc) {
  std::vector<std::string> processes{"self"};
  list_processes(proc, "self", processes);
  Duration used{};
  for (const std::string& process : processes)
    used += parse_process_time(read_text(proc + "/" + process + "/stat")).value_or(Duration{});
  return used;
}

void read_host(Machine& machine, const std::string& proc) {
  if (const auto memory = parse_memory_info(read_text(proc + "/meminfo"))) {
    machine.memory_bytes = memory->total_bytes;
    machine.memory_available_bytes = memory->available_bytes;
  }
  const std::string status = read_text(proc + "/self/status");
  machine.own_bytes = parse_resident_bytes(status).value_or(0);
  machine.cores = parse_allowed_processors(status).value_or(0);
  machine.cpu_used = parse_busy_time(read_text(proc + "/stat")).value_or(Duration{});
  machine.cpu_stalled = parse_stalled_time(read_text(proc + "/pressure/cpu"));
  machine.own_cpu_used = read_own_cpu(proc);
  machine.uptime = parse_uptime(read_text(proc + "/uptime")).value_or(Duration{});
}

// What is given back when memory is short, as in MemAvailable.
std::uint64_t page_cache(const std::string& folder, bool unified) {
  const std::string text = read_text(folder + "/memory.stat");
  std::uint64_t bytes = 0;
  for (const char* const list : {"inactive_file", "active_file"})
    bytes += parse_number_of(text, (unified ? "" : "total_") + std::string(list)).value_or(0);
  return bytes;
}

void read_memory_share(Machine& machine, const ControlGroup& group, const std::string& top) {
  for (const std::string& name : group.folders) {
    const std::string folder = top + name;
    const auto limit =
        parse_memory_limit(read_text(folder + (group.unified ? "/memory.max" : "/memory.limit_in_bytes")));
    if (!limit) continue;
    const auto used =
        parse_number(read_text(folder + (group.unified ? "/memory.current" : "/memory.usage_in_bytes")));
    const std::uint64_t all = used.value_or(0);
    limit_memory(machine, {*limit, all - std::min(all, page_cache(folder, group.unified))});
  }
}

// The processor time that the group in `folder` has used.
std::optional<Duration> read_cpu_used(const std::string& folder, bool unified) {
  if (!unified) {
    const auto nanoseconds = parse_number(read_text(folder + "/cpuacct.usage"));
    return nanoseconds ? std::optional<Duration>(std::chrono::nanoseconds(*nanoseconds)) : std::nullopt;
  }
  const auto microseconds = parse_number_of(read_text(folder + "/cpu.stat"), "usage_usec");
  return microseconds ? std::optional<Duration>(std::chrono::microseconds(*microseconds)) : std::nullopt;
}

// The group with the smallest limit is the one whose time is told.
void read_cpu_share(Machine& machine, const std::string& groups, const std::string& top) {
  const ControlGroup limits = parse_control_group(groups, "cpu");
  const ControlGroup times = parse_control_group(groups, "cpuacct");
  if (limits.unified && !limits.folders.empty()) {
    const auto stalled = parse_stalled_time(read_text(top + limits.folders.front() + "/cpu.pressure"));
    if (stalled) machine.cpu_stalled = stalled;
  }
  for (std::size_t level = 0; level < limits.folders.size(); ++level) {
    const std::string folder = top + limits.folders[level];
    const std::string text = limits.unified ? read_text(folder + "/cpu.max")
                                            : read_text(folder + "/cpu.cfs_quota_us") + " " +
                                                  read_text(folder + "/cpu.cfs_period_us");
    const auto cores = parse_cpu_limit(text);
    if (!cores || *cores >= machine.cores) continue;
    limit_cores(machine, *cores);
    if (level >= times.folders.size()) continue;
    if (const auto used = read_cpu_used(top + times.folders[level], times.unified)) machine.cpu_used = *used;
  }
}

void read_links(Machine& machine, const std::string& folder) {
  std::error_code error;
  for (fs::directory_iterator links(folder, error), end; !error && links != end; links.increment(error)) {
    const std::string link = links->path();
    if (links->path().filename() == "lo" || read_text(link + "/operstate").starts_with("down")) continue;
    const auto speed = parse_link_speed(read_text(link + "/speed"));
    if (speed) machine.link_megabits = std::max(machine.link_megabits.value_or(0), *speed);
  }
}

void read_disk(Machine& machine, const std::string& folder) {
  std::error_code error;
  fs::path there = fs::absolute(folder, error);
  while (!fs::exists(there, error) && there.has_relative_path()) there = there.parent_path();
  struct statvfs disk {};
  if (statvfs(there.c_str(), &disk) != 0) return;
  machine.disk_bytes = static_cast<std::uint64_t>(disk.f_blocks) * disk.f_frsize;
  machine.disk_available_bytes = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
}

}  // namespace

Machine read_machine(const std::string& folder, const std::string& root) {
  Machine machine;
  read_host(machine, root + "/proc");
  const std::string groups = read_text(root + "/proc/self/cgroup");
  const std::string top = root + "/sys/fs/cgroup/";
  read_memory_share(machine, parse_control_group(groups, "memory"), top);
  read_cpu_share(machine, groups, top);
  read_links(machine, root + "/sys/class/net");
  read_disk(machine, folder);
  return machine;
}

}  // namespace cidbus
