#include <CLI/CLI.hpp>

#include "broker/journal_command.h"
#include "broker/options.h"

int main(int argc, char** argv) {
  using namespace cidbus;
  hold_standard_descriptors();
  if (const auto ended = run_journal_command(argc, argv)) return *ended;
  block_stop_signals();
  BrokerFlags flags;
  CLI::App app("Accepts tasks, keeps them safe, hands them out, and knows who holds which block.",
               broker_program);
  add_broker_flags(app, flags);
  if (const auto ended = parse_command_line(app, argc, argv)) return *ended;
  const auto broker = open_broker(flags);
  return broker ? run_until_signalled(broker_program, **broker)
                : report_fault(broker_program, broker.error());
}
