#include "shared/io/node_options.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "shared/io/random.h"

namespace cidbus {
namespace {

constexpr const char* version_text = "cidbus 0.1.0";

}  // namespace

void add_common_flags(CLI::App& app, NodeOptions& options) {
  app.set_version_flag("--version", version_text);
  app.add_option("--cluster", options.cluster, "Name of the cluster; members of others are refused")
      ->envname("CIDBUS_CLUSTER")
      ->capture_default_str();
  app.add_option("--log-level", options.log_level, "debug, info, warning or error")->capture_default_str();
  app.get_formatter()->column_width(36);
}

void add_node_flags(CLI::App& app, NodeOptions& options) {
  app.add_option("--name", options.name, "This node's name, unique in the cluster")->required();
  app.add_option("--brokers,--master", options.brokers, "Brokers, HOST:PORT[,HOST:PORT...]")
      ->envname("CIDBUS_BROKERS")
      ->capture_default_str();
  add_common_flags(app, options);
}

std::optional<int> parse_command_line(CLI::App& app, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::Success& wanted) {  // --help, --version
    return app.exit(wanted);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "%s: %s; see %s --help\n", app.get_name().c_str(), error.what(),
                 app.get_name().c_str());
    return exit_code(FaultKind::BadUsage);
  }
}

Result<NodeIdentity> identity_of(const NodeOptions& options, Role role) {
  constexpr const char* rule = "; use 1 to 64 letters, digits, '.', '_' or '-'";
  if (!is_valid_name(options.name))
    return fault(FaultKind::BadUsage, "--name '" + options.name + "' is no name" + rule);
  if (!is_valid_name(options.cluster)) {
    return fault(FaultKind::BadUsage, "--cluster '" + options.cluster + "' is no name" + rule);
  }
  return NodeIdentity{options.cluster, options.name, role, random_incarnation()};
}

Result<LogLevel> log_level_of(const NodeOptions& options) {
  const auto level = parse_log_level(options.log_level);
  if (level) return *level;
  return fault(FaultKind::BadUsage,
               "--log-level '" + options.log_level + "' is unknown; give debug, info, warning or error");
}

}  // namespace cidbus
