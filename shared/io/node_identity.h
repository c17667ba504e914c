// Who a node is on the bus, and where others are: names, routing ids and addresses.
//
// Thread rule: values and functions. Limits: limits::name_length, limits::endpoint_length.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/base/ids.h"
#include "shared/base/result.h"
#include "shared/core/node.h"
#include "shared/io/socket.h"

namespace cidbus {

struct NodeIdentity {
  std::string cluster;
  std::string name;
  Role role = Role::Client;
  Incarnation incarnation;
  std::vector<std::pair<std::string, std::string>> labels = {};  // of a member; its owner's words
};

// A client of its own: `prefix` (cut where it is long), "." and eight random hexadecimal digits.
NodeIdentity client_identity(const std::string& cluster, std::string_view prefix);

// With keys, a client speaks under the name of its key, a dot and what tells its connections apart.
NodeIdentity under_own_key(const SocketContext& context, NodeIdentity identity);

// The routing id of a node's DEALER: its name, "#", its incarnation in 16 hex digits, "#", and 16 more that
// nobody else knows: who knew it all could take the connection's place at the ROUTER.
std::string routing_id(const NodeIdentity& node);
std::optional<std::pair<std::string_view, Incarnation>> parse_routing_id(ByteView id);

// Each HOST:PORT of a comma-separated list; BadUsage naming the first that is none.
Result<std::vector<std::string>> parse_addresses(std::string_view list);
// HOST:PORT with the port moved by `offset`: a broker's other sockets stand at fixed distances from its bus.
std::string address_at(const std::string& address, int offset);

}  // namespace cidbus
