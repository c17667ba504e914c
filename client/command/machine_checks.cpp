#include "client/command/machine_checks.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "client/command/run_program.h"
#include "client/command/values.h"

namespace cidbus {
namespace {

using State = Finding::State;
namespace fs = std::filesystem;

constexpr rlim_t open_files_needed = 1024;
constexpr rlim_t open_files_wanted = 65'536;  // 2,000 workers, each with a few connections
constexpr std::uint64_t memory_wanted = 512ULL << 20;
constexpr std::uint64_t disk_wanted = 1ULL << 30;
constexpr std::time_t earliest_time = 1'735'689'600;  // 2025-01-01
constexpr double slow_sync_milliseconds = 20;
constexpr int syncs = 16;

std::string error_text(int error) { return std::generic_category().message(error); }

// Of a file that is gone again; the median, in milliseconds, or less than nothing with errno in `error`.
double sync_time(const std::string& folder, int& error) {
  std::string path = folder + "/.cidbus-doctor-XXXXXX";
  const int file = mkostemp(path.data(), O_CLOEXEC);
  if (file < 0) {
    error = errno;
    return -1;
  }
  unlink(path.c_str());
  const std::string page(4096, 'x');
  std::vector<double> times;
  for (int round = 0; round < syncs; ++round) {
    const auto begun = std::chrono::steady_clock::now();
    if (write(file, page.data(), page.size()) != static_cast<ssize_t>(page.size()) || fdatasync(file) != 0) {
      error = errno;
      close(file);
      return -1;
    }
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count());
  }
  close(file);
  std::nth_element(times.begin(), times.begin() + syncs / 2, times.end());
  return times[syncs / 2];
}

// The inode of the socket that listens on a TCP port, as /proc/net/tcp tells; empty when none does.
std::string listener_of(unsigned port) {
  for (const char* const table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream lines(table);
    std::string line;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      std::istringstream fields(line);
      std::string number, local, remote, state, skipped, inode;
      fields >> number >> local >> remote >> state;
      for (int field = 0; field < 5; ++field) fields >> skipped;
      fields >> inode;
      const auto colon = local.rfind(':');
      if (state == "0A" && colon != std::string::npos &&
          std::stoul(local.substr(colon + 1), nullptr, 16) == port)
        return inode;
    }
  }
  return {};
}

// "cidbus-broker (process 12)", where we may see it.
std::string owner_of(const std::string& inode) {
  const std::string wanted = "socket:[" + inode + "]";
  std::error_code error;
  for (const auto& process : fs::directory_iterator("/proc", error)) {
    const std::string id = process.path().filename();
    if (id.find_first_not_of("0123456789") != std::string::npos) continue;
    for (fs::directory_iterator files(process.path() / "fd", error), end; !error && files != end;
         files.increment(error)) {
      std::error_code gone;
      if (fs::read_symlink(files->path(), gone) != wanted) continue;
      std::ifstream name(process.path() / "comm");
      std::string text;
      std::getline(name, text);
      return printable(text) + " (process " + id + ")";
    }
  }
  return "a process of another user";
}

}  // namespace

Finding check_open_files() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  Finding finding{"open files", State::Ok, "at most " + std::to_string(limit.rlim_max) + " a process", "", 1};
  if (limit.rlim_max >= open_files_wanted) return finding;
  finding.state = limit.rlim_max < open_files_needed ? State::Bad : State::Warning;
  finding.advice = "a broker of many nodes needs " + std::to_string(open_files_wanted) +
                   "; raise it: LimitNOFILE= in the unit, or /etc/security/limits.conf";
  return finding;
}

Finding check_memory() {
  std::ifstream lines("/proc/meminfo");
  std::string name;
  std::uint64_t kibibytes = 0;
  while (lines >> name >> kibibytes && name != "MemAvailable:") lines.ignore(100, '\n');
  const std::uint64_t bytes = kibibytes << 10;
  Finding finding{"memory", State::Ok, readable_bytes(bytes) + " available", "", 1};
  if (bytes >= memory_wanted) return finding;
  finding.state = State::Warning;
  finding.advice = "a broker or worker wants 1 GiB; end other programs, or give this machine a smaller role";
  return finding;
}

Finding check_clock() {
  Finding finding{"clock", State::Ok, "synchronised", "", 1};
  if (std::time(nullptr) < earliest_time)
    return {"clock", State::Bad, "it is before 2025", "set it: timedatectl set-time, or start a time service",
            1};
  timex state{};
  if (adjtimex(&state) != TIME_ERROR && (state.status & STA_UNSYNC) == 0) return finding;
  finding.state = State::Warning;
  finding.found = "nobody keeps it synchronised";
  finding.advice =
      "start a time service such as chrony or systemd-timesyncd; delays and deadlines are in wall time";
  return finding;
}

Finding check_disk(const std::string& folder) {
  const std::string name = "disk " + printable(folder);
  std::error_code error;
  const fs::path there =
      fs::is_directory(folder, error) ? fs::path(folder) : fs::absolute(folder, error).parent_path();
  struct statvfs disk {};
  if (statvfs(there.c_str(), &disk) != 0)
    return {name, State::Bad, error_text(errno), "make the folder, or mount its disk", 1};
  const std::uint64_t free = static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize;
  int why = 0;
  const double milliseconds = sync_time(there, why);
  if (milliseconds < 0)
    return {name, State::Bad, "cannot be written: " + error_text(why),
            "give this user the folder, or make room", 1};
  char time[32];
  std::snprintf(time, sizeof(time), "%.2f ms", milliseconds);
  Finding finding{name, State::Ok, readable_bytes(free) + " free, a synced write takes " + time, "", 1};
  if (free < disk_wanted) {
    finding.state = State::Bad;
    finding.advice = "a broker refuses tasks and a worker blocks when the disk is full; make room";
  } else if (milliseconds > slow_sync_milliseconds) {
    finding.state = State::Warning;
    finding.advice = "every accepted task waits for such a write; use a disk of flash for a broker's --data";
  }
  return finding;
}

Finding check_program(const std::string& name, const std::string& why, const std::string& package) {
  const std::string path = find_program(name, "");
  if (!path.empty()) return {"program " + name, State::Ok, path, "", 1};
  return {"program " + name, State::Warning, "not installed", why + "; apt install " + package, 1};
}

Finding check_port(unsigned port, const std::string& use) {
  const std::string inode = listener_of(port);
  return {"port " + std::to_string(port), State::Ok,
          use + ": " + (inode.empty() ? "free" : owner_of(inode) + " listens"), "", 1};
}

}  // namespace cidbus
