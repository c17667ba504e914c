#include "gateway/options.h"

namespace {

using namespace cidbus;

Result<int> run(GatewayCommand command) {
  const auto gateway = open_gateway(std::move(command));
  if (!gateway) return tl::unexpected(gateway.error());
  return run_until_signalled(gateway_program, **gateway);
}

}  // namespace

int main(int argc, char** argv) {
  hold_standard_descriptors();
  block_stop_signals();
  ParsedGateway parsed = parse_gateway_options(argc, argv);
  if (const int* ended = std::get_if<int>(&parsed)) return *ended;
  if (const Fault* fault = std::get_if<Fault>(&parsed)) return report_fault(gateway_program, *fault);
  const Result<int> exit_status = run(std::get<GatewayCommand>(std::move(parsed)));
  return exit_status ? *exit_status : report_fault(gateway_program, exit_status.error());
}
