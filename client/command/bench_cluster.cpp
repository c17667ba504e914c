#include "client/command/bench_cluster.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "client/command/interrupt.h"
#include "client/command/run_program.h"
#include "shared/content/posix_file.h"
#include "shared/io/clock.h"

namespace cidbus {
namespace {

constexpr int ports_of_broker = 6;  // bus, feed, mesh and HTTP (DESIGN section 11)
constexpr int port_tries = 100;
constexpr Duration start_time = std::chrono::seconds(30);
constexpr int look_again_ms = 20;
constexpr std::size_t brokers_of_quorum = 3;

// Held until it is closed. Port 0 for any free one; the port that it became, or 0 when it is not free.
std::uint16_t hold_port(std::uint16_t port, std::vector<FileDescriptor>& held) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  if (!socket.is_open() || ::bind(socket.number(), any, size) != 0) return 0;
  if (::getsockname(socket.number(), any, &size) != 0) return 0;
  held.push_back(std::move(socket));
  return ntohs(address.sin_port);
}

// The first of `count` free ports in a row; 0 when there are none. `held` keeps others from being given them.
std::uint16_t hold_ports(int count, std::vector<FileDescriptor>& held) {
  for (int attempt = 0; attempt < port_tries; ++attempt) {
    const std::size_t before = held.size();
    const std::uint16_t first = hold_port(0, held);
    int found = first == 0 ? 0 : 1;
    while (found != 0 && found < count && first + found <= UINT16_MAX &&
           hold_port(static_cast<std::uint16_t>(first + found), held) != 0) {
      ++found;
    }
    if (found == count) return first;
    held.resize(before);
  }
  return 0;
}

// Addresses of this machine, `count` of them, with `ports` free ports from each on. They are free when this
// returns: whoever is quick may take one before a node does, which then says so.
Result<std::vector<std::string>> free_addresses(std::size_t count, int ports) {
  std::vector<FileDescriptor> held;
  std::vector<std::string> addresses;
  while (addresses.size() < count) {
    const std::uint16_t port = hold_ports(ports, held);
    if (port == 0) return fault(FaultKind::TryAgain, "no free ports on 127.0.0.1; try again later");
    addresses.push_back("127.0.0.1:" + std::to_string(port));
  }
  return addresses;
}

std::string last_line(const std::string& path) {
  std::ifstream file(path);
  std::string last;
  for (std::string line; std::getline(file, line);)
    if (!line.empty()) last = line;
  return last;
}

}  // namespace

Result<Surroundings> look_around(Context& context) {
  const RequestId request = context.next_request();
  Surroundings found;
  const Status asked = context.ask(SnapshotRequest{request}, [&](const Message& message) {
    const auto* snapshot = std::get_if<Snapshot>(&message);
    if (snapshot == nullptr || snapshot->request != request) return false;
    found.durability = snapshot->durability;
    found.brokers = snapshot->brokers.size();
    for (const Member& member : snapshot->members) {
      if (member.role != Role::Worker || member.state != MemberState::Alive) continue;
      ++found.workers;
      found.slots += member.load.slots;
    }
    return true;
  });
  if (!asked) return tl::unexpected(asked.error());
  return found;
}

BenchCluster::BenchCluster(std::string folder, CommonOptions common)
    : folder_(std::move(folder)), common_(std::move(common)) {
  common_.cluster = "bench";
  common_.trust = {};
}

// Killed: nothing of theirs is to be kept.
BenchCluster::~BenchCluster() {
  for (const Node& node : nodes_) ::kill(node.process, SIGKILL);
  for (const Node& node : nodes_) {
    while (::waitpid(node.process, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

Result<std::unique_ptr<BenchCluster>> BenchCluster::start(Context& context, const Wish& wish) {
  std::error_code failed;
  std::string folder = std::filesystem::temp_directory_path(failed) / "cidbus-bench-XXXXXX";
  if (failed || ::mkdtemp(folder.data()) == nullptr) {
    return fault(FaultKind::Failed, "no temporary folder can be made for the bench's cluster: " +
                                        (failed ? failed.message() : std::strerror(errno)));
  }
  std::unique_ptr<BenchCluster> cluster(new BenchCluster(folder, context.common()));
  const std::string& programs = context.environment().programs;
  if (const Status started = cluster->start_brokers(programs, wish.durability); !started)
    return tl::unexpected(started.error());
  if (const Status started = cluster->start_workers(programs, wish.workers); !started)
    return tl::unexpected(started.error());
  if (const Status ready = cluster->wait_for_workers(context, wish.workers); !ready)
    return tl::unexpected(ready.error());
  return cluster;
}

Status BenchCluster::start_brokers(const std::string& programs, Durability durability) {
  const std::size_t brokers = durability == Durability::Quorum ? brokers_of_quorum : 1;
  auto addresses = free_addresses(brokers, ports_of_broker);
  if (!addresses) return tl::unexpected(addresses.error());
  std::string group;
  for (std::size_t at = 0; at < brokers; ++at) {
    group += (at == 0 ? "b" : ",b") + std::to_string(at + 1) + "=" + (*addresses)[at] + "/" +
             std::to_string(brokers - at);
  }
  for (std::size_t at = 0; at < brokers; ++at) {
    const Status started = start_node(programs, "broker", "b" + std::to_string(at + 1),
                                      {"--listen", (*addresses)[at], "--group", group, "--metrics-listen",
                                       "none", "--durability", std::string(to_text(durability))});
    if (!started) return started;
  }
  common_.brokers = std::move(*addresses);
  return {};
}

Status BenchCluster::start_workers(const std::string& programs, std::uint64_t workers) {
  std::string brokers;
  for (const std::string& address : common_.brokers) brokers += (brokers.empty() ? "" : ",") + address;
  const auto addresses = free_addresses(workers, 1);
  if (!addresses) return tl::unexpected(addresses.error());
  for (std::size_t at = 0; at < workers; ++at) {
    const Status started = start_node(programs, "worker", "w" + std::to_string(at + 1),
                                      {"--brokers", brokers, "--exchange", (*addresses)[at]});
    if (!started) return started;
  }
  return {};
}

Status BenchCluster::start_node(const std::string& programs, const std::string& role, const std::string& name,
                                std::vector<std::string> options) {
  const std::string path = find_program("cidbus-" + role, programs);
  if (path.empty())
    return fault(FaultKind::Failed, "cidbus-" + role + " is not installed; the bench runs it");
  const std::string folder = folder_ + "/" + name;
  std::vector<std::string> words{path,     "--name", name,       "--cluster", common_.cluster,
                                 "--data", folder,   "--config", "/dev/null"};
  words.insert(words.end(), options.begin(), options.end());
  const auto process = start_program(words, folder + ".log");
  if (!process) return tl::unexpected(process.error());
  nodes_.push_back({name, *process});
  return {};
}

Status BenchCluster::check_nodes() {
  for (const Node& node : nodes_) {
    siginfo_t ended{};
    if (::waitid(P_PID, static_cast<id_t>(node.process), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        ended.si_pid != 0) {
      return fault(FaultKind::Failed, "the bench's own " + node.name +
                                          " ended: " + last_line(folder_ + "/" + node.name + ".log"));
    }
  }
  return {};
}

Status BenchCluster::wait_for_workers(Context& context, std::uint64_t workers) {
  Context own(context.environment(), common_);
  const Monotonic by = context.deadline(start_time);
  while (context.interrupted() == 0) {
    const auto around = look_around(own);
    if (around && around->workers == workers) return {};
    if (const Status running = check_nodes(); !running) return running;
    if (read_clock().monotonic >= by) {
      if (!around) return tl::unexpected(around.error());
      return fault(FaultKind::TimedOut, "only " + std::to_string(around->workers) + " of " +
                                            std::to_string(workers) +
                                            " workers of the bench came up in time");
    }
    Interrupt* const interrupt = context.environment().interrupt;
    pollfd stop{interrupt == nullptr ? -1 : interrupt->descriptor(), POLLIN, 0};
    ::poll(&stop, 1, look_again_ms);
  }
  return {};
}

}  // namespace cidbus
