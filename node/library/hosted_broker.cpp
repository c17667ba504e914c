#include "node/library/hosted_broker.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "broker/options.h"

namespace cidbus {
namespace {

constexpr int usual_port = 9096;
constexpr int ports_apart = 100;  // like the brokers of a local cluster
constexpr int ports_of_broker = 6;
constexpr int places = 200;

bool is_free(int port) {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return false;
  const int again = 1;
  setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &again, sizeof again);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound = bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(probe);
  return bound;
}

bool are_free(int port) {
  for (int offset = 0; offset < ports_of_broker; ++offset)
    if (!is_free(port + offset)) return false;
  return true;
}

}  // namespace

Result<HostedBroker> open_hosted_broker(const std::string& cluster, const std::string& name,
                                        const std::string& data, const std::string& address) {
  BrokerFlags flags;
  flags.node.name = name;
  flags.node.cluster = cluster;
  flags.data = data;
  if (!address.empty()) {
    flags.listen = address;
    auto role = open_broker(flags);
    if (!role) return tl::unexpected(role.error());
    return HostedBroker{*std::move(role), address};
  }
  Fault last{FaultKind::TryAgain, "no six free ports in a row for a broker; give an address"};
  for (int place = 0; place < places; ++place) {
    const int port = usual_port + place * ports_apart;
    if (!are_free(port)) continue;
    flags.listen = "127.0.0.1:" + std::to_string(port);
    auto role = open_broker(flags);
    if (role) return HostedBroker{*std::move(role), flags.listen};
    last = role.error();
    if (are_free(port)) break;  // the ports were not what was wrong
  }
  return tl::unexpected(last);
}

Status stop_role(RunningRole& role) {
  role.ask_to_stop();
  return role.wait();
}

Result<std::string> usual_data_folder(const std::string& cluster, const std::string& node) {
  const std::string place = "/cidbus/library/" + cluster + "/" + node;
  const char* const state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && *state == '/') return state + place;
  const char* const home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return std::string(home) + "/.local/state" + place;
  return fault(FaultKind::BadUsage, "there is no HOME to keep data in; give a folder for it");
}

}  // namespace cidbus
