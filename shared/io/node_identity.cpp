#include "shared/io/node_identity.h"

#include <algorithm>
#include <charconv>

#include "shared/base/limits/words.h"
#include "shared/io/random.h"

namespace cidbus {
namespace {

std::optional<int> parse_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535)
    return std::nullopt;
  return port;
}

}  // namespace

NodeIdentity client_identity(const std::string& cluster, std::string_view prefix) {
  const Incarnation incarnation = random_incarnation();
  constexpr std::size_t suffix = 9;
  std::string name(prefix.substr(0, limits::name_length - suffix));
  name += "." + to_text(incarnation).substr(0, suffix - 1);
  return {cluster, name, Role::Client, incarnation};
}

NodeIdentity under_own_key(const SocketContext& context, NodeIdentity identity) {
  const Keyring* const keys = context.keys();
  if (keys != nullptr && identity.role == Role::Client && !keys->self().is_named(identity.name))
    identity.name = keys->self().name + '.' + to_text(identity.incarnation).substr(0, 8);
  return identity;
}

std::string routing_id(const NodeIdentity& node) {
  return node.name + '#' + to_text(node.incarnation) + '#' + to_text(random_incarnation());
}

std::optional<std::pair<std::string_view, Incarnation>> parse_routing_id(ByteView id) {
  const std::string_view text = as_text(id);
  const auto split = std::min(text.find('#'), text.size());
  const std::string_view digits = text.substr(std::min(split + 1, text.size())).substr(0, 16);
  const std::string_view rest = text.substr(std::min(split + 17, text.size()));
  if (!is_valid_name(text.substr(0, split)) || digits.size() != 16 ||
      (!rest.empty() && (rest.size() != 17 || rest[0] != '#'))) {
    return std::nullopt;
  }
  Incarnation incarnation;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), incarnation.value, 16);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return std::pair{text.substr(0, split), incarnation};
}

Result<std::vector<std::string>> parse_addresses(std::string_view list) {
  std::vector<std::string> addresses;
  while (true) {
    const auto comma = list.find(',');
    const std::string_view address = list.substr(0, comma);
    const auto colon = address.rfind(':');
    if (colon == std::string_view::npos || colon == 0 || !parse_port(address.substr(colon + 1)) ||
        address.size() > limits::endpoint_length) {
      return fault(FaultKind::BadUsage,
                   "'" + std::string(address) + "' is no address; give HOST:PORT[,HOST:PORT...]");
    }
    addresses.emplace_back(address);
    if (comma == std::string_view::npos) return addresses;
    list.remove_prefix(comma + 1);
  }
}

std::string address_at(const std::string& address, int offset) {
  const auto colon = address.rfind(':');
  const auto port =
      colon == std::string::npos ? std::nullopt : parse_port(std::string_view(address).substr(colon + 1));
  if (!port) return address;
  return address.substr(0, colon + 1) + std::to_string(*port + offset);
}

}  // namespace cidbus
