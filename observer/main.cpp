#include <unistd.h>

#include <CLI/CLI.hpp>

#include "client/command/descriptor_sink.h"
#include "observer/alerts_command.h"
#include "observer/history_command.h"
#include "observer/options.h"

int main(int argc, char** argv) {
  using namespace cidbus;
  hold_standard_descriptors();
  const auto unless_reader_gone = [](int code) {
    return is_reader_gone(STDOUT_FILENO) ? reader_gone_code : code;
  };
  for (const auto run_command : {run_history_command, run_alerts_command, run_rules_command})
    if (const auto ended = run_command(argc, argv)) return unless_reader_gone(*ended);
  block_stop_signals();
  ObserverFlags flags;
  flags.has_terminal = true;
  CLI::App app(
      "Watches a cluster: shows or prints what happens, keeps the history of what it measures, raises "
      "alerts.",
      observer_program);
  add_observer_flags(app, flags);
  if (const auto ended = parse_command_line(app, argc, argv)) return *ended;
  const auto observer = open_observer(flags);
  return observer ? unless_reader_gone(run_until_signalled(observer_program, **observer))
                  : report_fault(observer_program, observer.error());
}
