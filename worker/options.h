// The command line of cidbus-worker.
//
// Thread rule: the main thread. Limits: none.
#pragma once

#include <variant>
#include <vector>

#include "shared/io/node_options.h"
#include "worker/programs.h"
#include "worker/server.h"

namespace cidbus {

struct WorkerCommand {
  NodeOptions node;
  WorkerOptions worker;
  std::vector<ExecProgram> programs;  // of [worker.exec.NAME]
  LogLevel log_level = LogLevel::Warning;
};

// What is to be run; an exit code when the program should end now (help, version, one line about what is
// wrong); or a fault that is yet to be told.
using ParsedWorker = std::variant<WorkerCommand, int, Fault>;
ParsedWorker parse_worker_options(int argc, const char* const* argv);

inline constexpr const char* worker_program = "cidbus-worker";

}  // namespace cidbus
