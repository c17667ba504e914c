#include "gateway/options.h"

#include <CLI/CLI.hpp>
#include <chrono>

#include "shared/io/hosted_role.h"
#include "shared/io/node_options.h"

namespace cidbus {

namespace {

constexpr double most_fetch_seconds = 3600;

constexpr const char* footer = R"(Examples:
  cidbus-gateway --name g1
  cidbus-gateway --name g1 --http 127.0.0.1:8081 --cache-bytes 1GiB --brokers 127.0.0.1:9096
  curl http://127.0.0.1:8080/ipfs/CID)";

Result<GatewayCommand> command_of(const NodeOptions& node, GatewayOptions gateway) {
  auto identity = identity_of(node, Role::Gateway);
  if (!identity) return tl::unexpected(identity.error());
  auto brokers = parse_addresses(node.brokers);
  if (!brokers) return tl::unexpected(brokers.error());
  gateway.identity = *std::move(identity);
  gateway.brokers = *std::move(brokers);
  return GatewayCommand{std::move(gateway), node};
}

}  // namespace

void add_gateway_flags(CLI::App& app, GatewayFlags& flags) {
  add_node_flags(app, flags.node);
  app.add_option("--http", flags.gateway.http, "Address to listen on; port 0 for a free one")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  app.add_option("--cache-bytes", flags.gateway.cache_bytes, "Blocks kept in memory, such as 1GB or 256MiB")
      ->transform(CLI::AsSizeValue(true))
      ->capture_default_str();
  app.add_option("--fetch-timeout", flags.fetch_seconds, "Seconds that a block is waited for; then 504")
      ->check(CLI::Range(0.1, most_fetch_seconds))
      ->capture_default_str();
}

ParsedGateway parse_gateway_options(int argc, const char* const* argv) {
  GatewayFlags flags;
  CLI::App app("Serves the content of a cluster over HTTP: /ipfs/CID, /livez, /readyz.", gateway_program);
  app.footer(footer);
  add_gateway_flags(app, flags);
  if (const auto ended = parse_command_line(app, argc, argv)) return *ended;
  flags.gateway.fetch_time = std::chrono::milliseconds(static_cast<std::int64_t>(flags.fetch_seconds * 1000));
  auto command = command_of(flags.node, std::move(flags.gateway));
  if (!command) return command.error();
  return *std::move(command);
}

Result<std::unique_ptr<RunningRole>> open_gateway(GatewayCommand command) {
  auto log = make_log(command.node, Role::Gateway);
  auto trust = trust_of(command.node, Role::Gateway, *log);
  if (!trust) return tl::unexpected(trust.error());
  auto hosted = std::make_unique<HostedRole>(std::move(log), std::move(*trust));
  return open_hosted<Gateway>(std::move(hosted), std::move(command.gateway));
}

}  // namespace cidbus
