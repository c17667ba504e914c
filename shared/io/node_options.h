// The flags that every role's command line shares, and how a command line is read.
//
// CIDBUS_BROKERS and CIDBUS_CLUSTER stand in for --brokers and --cluster; a flag beats the environment.
//
// Thread rule: the main thread. Limits: none.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "shared/base/result.h"
#include "shared/io/bus_link.h"
#include "shared/io/log.h"

namespace CLI {
class App;
}

namespace cidbus {

struct NodeOptions {
  std::string name;
  std::string cluster = "cidbus";
  std::string brokers = "127.0.0.1:9096";  // HOST:PORT[,HOST:PORT...]
  std::string log_level = "warning";
};

// --cluster, --log-level, --version.
void add_common_flags(CLI::App& app, NodeOptions& options);
// Those, --name (required) and --brokers with its other name --master.
void add_node_flags(CLI::App& app, NodeOptions& options);

// Reads the command line. An exit code when the program should end now: 0 after --help and --version, 2 after
// one line about what is wrong.
std::optional<int> parse_command_line(CLI::App& app, int argc, const char* const* argv);

// What the flags say, checked: BadUsage names the flag and what it takes.
Result<NodeIdentity> identity_of(const NodeOptions& options, Role role);
Result<LogLevel> log_level_of(const NodeOptions& options);

}  // namespace cidbus
