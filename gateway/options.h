// The command line of cidbus-gateway, and the role that it asks for.
//
// Thread rule: the main thread. Limits: none.
#pragma once

#include <chrono>
#include <memory>
#include <variant>

#include "gateway/gateway.h"
#include "shared/io/log.h"
#include "shared/io/node_options.h"

namespace cidbus {

struct GatewayCommand {
  GatewayOptions gateway;
  NodeOptions node;  // as typed: its keys
};

// As typed.
struct GatewayFlags {
  NodeOptions node;
  GatewayOptions gateway;
  double fetch_seconds = std::chrono::duration<double>(GatewayOptions().fetch_time).count();
};
void add_gateway_flags(CLI::App& app, GatewayFlags& flags);

// What is to be run; an exit code when the program should end now (help, version, one line about what is
// wrong); or a fault that is yet to be told.
using ParsedGateway = std::variant<GatewayCommand, int, Fault>;
ParsedGateway parse_gateway_options(int argc, const char* const* argv);

// The gateway, open, with all it stands on.
Result<std::unique_ptr<RunningRole>> open_gateway(GatewayCommand command);

inline constexpr const char* gateway_program = "cidbus-gateway";

}  // namespace cidbus
