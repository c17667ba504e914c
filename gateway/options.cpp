#include "gateway/options.h"

#include <CLI/CLI.hpp>
#include <chrono>

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
  const auto level = log_level_of(node);
  if (!level) return tl::unexpected(level.error());
  gateway.identity = *std::move(identity);
  gateway.brokers = *std::move(brokers);
  return GatewayCommand{std::move(gateway), node, *level};
}

}  // namespace

ParsedGateway parse_gateway_options(int argc, const char* const* argv) {
  NodeOptions node;
  GatewayOptions gateway;
  double fetch_seconds = std::chrono::duration<double>(gateway.fetch_time).count();
  CLI::App app("Serves the content of a cluster over HTTP: /ipfs/CID, /livez, /readyz.", gateway_program);
  app.footer(footer);
  add_node_flags(app, node);
  app.add_option("--http", gateway.http, "Address to listen on; port 0 for a free one")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  app.add_option("--cache-bytes", gateway.cache_bytes, "Blocks kept in memory, such as 1GB or 256MiB")
      ->transform(CLI::AsSizeValue(true))
      ->capture_default_str();
  app.add_option("--fetch-timeout", fetch_seconds, "Seconds that a block is waited for; then 504")
      ->check(CLI::Range(0.1, most_fetch_seconds))
      ->capture_default_str();
  if (const auto ended = parse_command_line(app, argc, argv)) return *ended;
  gateway.fetch_time = std::chrono::milliseconds(static_cast<std::int64_t>(fetch_seconds * 1000));
  auto command = command_of(node, std::move(gateway));
  if (!command) return command.error();
  return *std::move(command);
}

}  // namespace cidbus
