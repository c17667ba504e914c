// The command line of cidbus-worker, and the role that it asks for.
//
// Thread rule: the main thread. Limits: none.
#pragma once

#include <memory>
#include <variant>
#include <vector>

#include "shared/io/node_options.h"
#include "shared/io/process.h"
#include "worker/programs.h"
#include "worker/server.h"

namespace cidbus {

struct WorkerCommand {
  NodeOptions node;
  WorkerOptions worker;
  std::vector<ExecProgram> programs;  // of [worker.exec.NAME]
};

// As typed; the command's identity, brokers, drain and log level follow from it.
struct WorkerFlags {
  WorkerCommand command;
  double drain_seconds = 30;
  std::optional<ByteCount> storage_max;
};
void add_worker_flags(CLI::App& app, WorkerFlags& flags);

// What is to be run; an exit code when the program should end now (help, version, one line about what is
// wrong); or a fault that is yet to be told.
using ParsedWorker = std::variant<WorkerCommand, int, Fault>;
ParsedWorker parse_worker_options(int argc, const char* const* argv);

// The worker, open, with all it stands on.
Result<std::unique_ptr<RunningRole>> open_worker(WorkerCommand command);

inline constexpr const char* worker_program = "cidbus-worker";

}  // namespace cidbus
