// The broker's command line: who is in the group, and where this broker stands in it; and the role that it
// asks for.
//
// Thread rule: the main thread. Limits: limits::brokers members, priorities to limits::priority_most.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/server.h"
#include "shared/io/node_options.h"

namespace cidbus {

// "b1=127.0.0.1:9096/3,b2=..."; BadUsage names the part that makes no sense.
Result<std::vector<group::Member>> parse_group(std::string_view text);

struct BrokerFlags {
  NodeOptions node;
  std::string listen = "127.0.0.1:9096";
  std::string group;
  std::string data;
  std::string durability;  // empty: quorum, or disk for a broker alone
  std::string profile = "lan";
  std::string metrics_listen;  // empty: at the fifth port behind its bus
  bool no_preempt = false;
  bool votes_by_hand = false;
};

void add_broker_flags(CLI::App& app, BrokerFlags& flags);
// What the flags ask for, checked.
Result<BrokerServerOptions> server_options(const BrokerFlags& flags);
// The broker, open, with all it stands on.
Result<std::unique_ptr<RunningRole>> open_broker(const BrokerFlags& flags);

inline constexpr const char* broker_program = "cidbus-broker";

}  // namespace cidbus
