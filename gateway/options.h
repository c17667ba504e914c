// The command line of cidbus-gateway.
//
// Thread rule: the main thread. Limits: none.
#pragma once

#include <variant>

#include "gateway/gateway.h"
#include "shared/io/log.h"
#include "shared/io/node_options.h"

namespace cidbus {

struct GatewayCommand {
  GatewayOptions gateway;
  NodeOptions node;  // as typed: its keys
  LogLevel log_level = LogLevel::Warning;
};

// What is to be run; an exit code when the program should end now (help, version, one line about what is
// wrong); or a fault that is yet to be told.
using ParsedGateway = std::variant<GatewayCommand, int, Fault>;
ParsedGateway parse_gateway_options(int argc, const char* const* argv);

inline constexpr const char* gateway_program = "cidbus-gateway";

}  // namespace cidbus
