#include "shared/io/last_resort.h"
#include "worker/options.h"

namespace {

using namespace cidbus;

Result<int> run(WorkerCommand command) {
  LastResort last_resort;
  const auto worker = open_worker(std::move(command));
  if (!worker) return tl::unexpected(worker.error());
  const int code = run_until_signalled(worker_program, **worker);
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
