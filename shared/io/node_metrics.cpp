#include "shared/io/node_metrics.h"

#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "shared/io/clock.h"
#include "shared/io/machine_reader.h"
#include "shared/io/version.h"

namespace cidbus {
namespace {

constexpr Duration look_every = std::chrono::milliseconds(900);

std::string read_text(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::uint64_t nanoseconds_of(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_usec) * 1'000;
}

std::size_t count_open_files() {
  std::error_code error;
  std::filesystem::directory_iterator entries("/proc/self/fd", error);
  std::size_t count = 0;
  while (!error && entries != std::filesystem::directory_iterator()) {
    ++count;
    entries.increment(error);
  }
  return count - (count > 0 ? 1 : 0);  // without the one that lists them
}

}  // namespace

NodeMetrics::NodeMetrics(std::string_view name, Role role, std::string folder, const Log& log)
    : folder_(std::move(folder)), log_(log), started_(read_clock()) {
  registry_.gauge(Metric::NodeInfo, name, to_text(role)).set(1);
  registry_.gauge(Metric::BuildInfo, version).set(1);
  registry_.gauge(Metric::StartTime).set(static_cast<double>(started_.wall.milliseconds) / 1000);
  registry_.before_reading([this](Now now) { look(now); });
}

void NodeMetrics::look(Now now) {
  registry_.gauge(Metric::Uptime)
      .set(std::chrono::duration<double>(now.monotonic - started_.monotonic).count());
  const auto lines = log_.counts();
  for (std::size_t level = 0; level < log_level_count; ++level)
    registry_.counter(Metric::LogLines, to_text(static_cast<LogLevel>(level))).set(lines[level]);
  if (looked_ != Monotonic{} && now.monotonic - looked_ < look_every) return;
  looked_ = now.monotonic;
  look_at_process();
  const Machine machine = read_machine(folder_.empty() ? "/" : folder_);
  registry_.gauge(Metric::ResidentBytes).set(machine.own_bytes);
  registry_.gauge(Metric::MachineCores).set(machine.cores);
  registry_.counter(Metric::MachineCpuSeconds).set(static_cast<std::uint64_t>(machine.cpu_used.count()));
  registry_.gauge(Metric::MachineMemory).set(machine.memory_bytes);
  registry_.gauge(Metric::MachineMemoryAvailable).set(machine.memory_available_bytes);
  const NetworkBytes network = parse_network(read_text("/proc/net/dev"));
  registry_.counter(Metric::NetworkReceived).set(network.received);
  registry_.counter(Metric::NetworkSent).set(network.sent);
  if (folder_.empty()) return;
  registry_.gauge(Metric::DiskSize).set(machine.disk_bytes);
  registry_.gauge(Metric::DiskFree).set(machine.disk_available_bytes);
}

void NodeMetrics::look_at_process() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  registry_.counter(Metric::CpuSeconds).set(nanoseconds_of(used.ru_utime) + nanoseconds_of(used.ru_stime));
  const std::string status = read_text("/proc/self/status");
  registry_.gauge(Metric::Threads).set(parse_number_of(status, "Threads:").value_or(0));
  const std::string transfers = read_text("/proc/self/io");  // not there where the kernel does not count
  registry_.counter(Metric::ProcessDiskRead).set(parse_number_of(transfers, "read_bytes:").value_or(0));
  registry_.counter(Metric::ProcessDiskWritten).set(parse_number_of(transfers, "write_bytes:").value_or(0));
  registry_.gauge(Metric::OpenFiles).set(count_open_files());
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  registry_.gauge(Metric::OpenFilesMost).set(files.rlim_cur);
}

NetworkBytes parse_network(std::string_view text) {
  NetworkBytes bytes;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;  // the head
    const auto first = line.find_first_not_of(' ');
    if (line.substr(first, colon - first) == "lo") continue;
    std::istringstream numbers(line.substr(colon + 1));
    std::uint64_t received = 0;
    std::uint64_t skipped = 0;
    std::uint64_t sent = 0;
    numbers >> received;
    for (int column = 0; column < 7; ++column) numbers >> skipped;
    if (!(numbers >> sent)) continue;
    bytes.received += received;
    bytes.sent += sent;
  }
  return bytes;
}

}  // namespace cidbus
