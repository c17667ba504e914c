#include <CLI/CLI.hpp>

#include "observer/observer.h"
#include "shared/io/node_options.h"

namespace {

using namespace cidbus;

constexpr const char* program = "cidbus-observer";
constexpr const char* footer = R"(Examples:
  cidbus-observer --name o1
  cidbus-observer --name o1 --output ndjson --brokers 127.0.0.1:9096
table is for a person; json and ndjson are an object a line; quiet is the name of what changed.)";

Status run(const NodeOptions& node, const std::string& output, int& exit_status) {
  const auto identity = identity_of(node, Role::Observer);
  if (!identity) return tl::unexpected(identity.error());
  const auto brokers = parse_addresses(node.brokers);
  if (!brokers) return tl::unexpected(brokers.error());
  const auto level = log_level_of(node);
  if (!level) return tl::unexpected(level.error());
  const auto log = make_stderr_log(node.name, *level);
  auto trust = trust_of(node, Role::Observer, *log);
  if (!trust) return tl::unexpected(trust.error());
  SocketContext context(std::move(*trust));
  Observer observer(context, {*identity, *brokers, *parse_print_style(output), stdout}, *log);
  if (const Status opened = observer.open(); !opened) return opened;
  exit_status = run_until_signalled(program, observer);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  block_stop_signals();
  NodeOptions node;
  std::string output = "table";
  CLI::App app(
      "Watches a cluster: attaches to its brokers and prints members, leaders and tasks as they change.",
      program);
  app.footer(footer);
  add_node_flags(app, node);
  add_output_option(app, output);
  if (const auto ended = parse_command_line(app, argc, argv)) return *ended;
  int exit_status = 0;
  if (const Status status = run(node, output, exit_status); !status)
    return report_fault(program, status.error());
  return exit_status;
}
