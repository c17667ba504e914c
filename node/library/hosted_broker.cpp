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

// Empty where any will do.
Result<std::string> address_of(const HostedBrokerOptions& options) {
  if (!options.address.empty() || options.group.empty()) return options.address;
  const auto members = parse_group(options.group);
  if (!members) return tl::unexpected(members.error());
  for (const group::Member& member : *members)
    if (member.name == options.name) return member.endpoint;
  return fault(FaultKind::BadUsage, "the group does not name this node, '" + options.name + "'");
}

std::string or_environment(const std::string& given, const char* variable) {
  const char* const value = std::getenv(variable);
  return given.empty() && value != nullptr ? value : given;
}

}  // namespace

Result<HostedBroker> open_hosted_broker(const HostedBrokerOptions& options) {
  BrokerFlags flags;
  flags.node.name = options.name;
  flags.node.cluster = options.cluster;
  flags.node.keys = options.keys;
  flags.data = options.data;
  flags.group = options.group;
  const auto address = address_of(options);
  if (!address) return tl::unexpected(address.error());
  if (!address->empty()) {
    flags.listen = *address;
    auto role = open_broker(flags);
    if (!role) return tl::unexpected(role.error());
    return HostedBroker{*std::move(role), *address};
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

KeyOptions keys_of(const std::string& key_file, const std::string& allow_file) {
  return {or_environment(key_file, "CIDBUS_KEY_FILE"), or_environment(allow_file, "CIDBUS_ALLOW_FILE"),
          false};
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
