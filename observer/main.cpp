#include <CLI/CLI.hpp>

#include "observer/history_command.h"
#include "observer/options.h"

int main(int argc, char** argv) {
  using namespace cidbus;
  hold_standard_descriptors();
  if (const auto ended = run_history_command(argc, argv)) return *ended;
  block_stop_signals();
  ObserverFlags flags;
  CLI::App app("Watches a cluster: prints what happens, and keeps the history of what it measures.",
               observer_program);
  add_observer_flags(app, flags);
  if (const auto ended = parse_command_line(app, argc, argv)) return *ended;
  const auto observer = open_observer(flags);
  return observer ? run_until_signalled(observer_program, **observer)
                  : report_fault(observer_program, observer.error());
}
