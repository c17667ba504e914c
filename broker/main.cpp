#include <CLI/CLI.hpp>

#include "broker/journal_command.h"
#include "broker/options.h"

namespace {

using namespace cidbus;

constexpr const char* program = "cidbus-broker";

Status run(const BrokerFlags& flags, int& exit_status) {
  const auto options = server_options(flags);
  if (!options) return tl::unexpected(options.error());
  const auto level = log_level_of(flags.node);
  if (!level) return tl::unexpected(level.error());
  const auto log = make_stderr_log(flags.node.name, *level);
  auto trust = trust_of(flags.node, Role::Master, *log);
  if (!trust) return tl::unexpected(trust.error());
  SocketContext context(std::move(*trust));
  BrokerServer broker(context, *options, *log);
  if (const Status opened = broker.open(); !opened) return opened;
  exit_status = run_until_signalled(program, broker);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  hold_standard_descriptors();
  if (const auto ended = run_journal_command(argc, argv)) return *ended;
  block_stop_signals();
  BrokerFlags flags;
  CLI::App app("Accepts tasks, keeps them safe, hands them out, and knows who holds which block.", program);
  add_broker_flags(app, flags);
  if (const auto ended = parse_command_line(app, argc, argv)) return *ended;
  int exit_status = 0;
  if (const Status status = run(flags, exit_status); !status) return report_fault(program, status.error());
  return exit_status;
}
