// The broker's command line: who is in the group, and where this broker stands in it.
//
// Thread rule: the main thread. Limits: a group of one in this version.
#pragma once

#include <string>
#include <vector>

#include "broker/server.h"
#include "shared/io/node_options.h"

namespace cidbus {

struct GroupMember {
  std::string name;
  std::string address;  // HOST:PORT of its bus
  unsigned priority = 0;
};

// "b1=127.0.0.1:9096/3,b2=..."; BadUsage names the part that makes no sense.
Result<std::vector<GroupMember>> parse_group(std::string_view text);

struct BrokerFlags {
  NodeOptions node;
  std::string listen = "127.0.0.1:9096";
  std::string group;
  std::string data;
  std::string durability = "disk";
};

// What the flags ask for, checked.
Result<BrokerServerOptions> server_options(const BrokerFlags& flags);

}  // namespace cidbus
