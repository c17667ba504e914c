#include "shared/io/last_resort.h"
#include "worker/options.h"

namespace {

using namespace cidbus;

Result<int> run(WorkerCommand command) {
  const auto log = make_stderr_log(command.node.name, command.log_level);
  HandlerRegistry handlers = built_in_handlers();
  if (Status offered = offer_programs(std::move(command.programs), handlers, *log); !offered)
    return tl::unexpected(offered.error());
  auto trust = trust_of(command.node, Role::Worker, *log);
  if (!trust) return tl::unexpected(trust.error());
  LastResort last_resort;
  SocketContext context(std::move(*trust));
  WorkerServer worker(context, std::move(command.worker), handlers, *log);
  if (const Status opened = worker.open(); !opened) return tl::unexpected(opened.error());
  const int code = run_until_signalled(worker_program, worker);
  last_resort.arm(worker_program, "a task", code);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  hold_standard_descriptors();
  block_stop_signals();
  ParsedWorker parsed = parse_worker_options(argc, argv);
  if (const int* ended = std::get_if<int>(&parsed)) return *ended;
  if (const Fault* fault = std::get_if<Fault>(&parsed)) return report_fault(worker_program, *fault);
  const Result<int> exit_status = run(std::get<WorkerCommand>(std::move(parsed)));
  return exit_status ? *exit_status : report_fault(worker_program, exit_status.error());
}
