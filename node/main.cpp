#include "node/options.h"
#include "shared/io/last_resort.h"

namespace {

using namespace cidbus;

Result<int> run(NodeCommand command) {
  LastResort last_resort;
  const auto node = open_node(std::move(command));
  if (!node) return tl::unexpected(node.error());
  const int code = run_until_signalled(node_program, **node);
  last_resort.arm(node_program, "a task", code);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  hold_standard_descriptors();
  block_stop_signals();
  ParsedNode parsed = parse_node_options(argc, argv);
  if (const int* ended = std::get_if<int>(&parsed)) return *ended;
  if (const Fault* fault = std::get_if<Fault>(&parsed)) return report_fault(node_program, *fault);
  const Result<int> exit_status = run(std::get<NodeCommand>(std::move(parsed)));
  return exit_status ? *exit_status : report_fault(node_program, exit_status.error());
}
