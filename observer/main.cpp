#include <CLI/CLI.hpp>

#include "observer/history_command.h"
#include "observer/observer.h"
#include "observer/options.h"
#include "shared/io/node_options.h"

namespace {

using namespace cidbus;

Status run(ObserverFlags flags, int& exit_status) {
  auto options = observer_options(flags);
  if (!options) return tl::unexpected(options.error());
  const auto level = log_level_of(flags.node);
  if (!level) return tl::unexpected(level.error());
  const auto log = make_stderr_log(flags.node.name, *level);
  auto trust = trust_of(flags.node, Role::Observer, *log);
  if (!trust) return tl::unexpected(trust.error());
  SocketContext context(std::move(*trust));
  Observer observer(context, std::move(*options), *log);
  if (const Status opened = observer.open(); !opened) return opened;
  exit_status = run_until_signalled(observer_program, observer);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  hold_standard_descriptors();
  if (const auto ended = run_history_command(argc, argv)) return *ended;
  block_stop_signals();
  ObserverFlags flags;
  CLI::App app("Watches a cluster: prints what happens, and keeps the history of what it measures.",
               observer_program);
  add_observer_flags(app, flags);
  if (const auto ended = parse_command_line(app, argc, argv)) return *ended;
  int exit_status = 0;
  if (const Status status = run(flags, exit_status); !status)
    return report_fault(observer_program, status.error());
  return exit_status;
}
