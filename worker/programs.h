// The programs that a worker's configuration names become task types, where this machine can wall them in.
//
// Each is tried once at the start, with `true` in its place: a program whose sandbox cannot be built is not
// offered, and the log says why and what to do. The built-in task types go on.
//
// Thread rule: the main thread, before the worker starts. Limits: limits::programs.
#pragma once

#include <vector>

#include "shared/io/log.h"
#include "shared/settings/settings.h"
#include "worker/handlers/exec_config.h"

namespace cidbus {

// Tables [worker.exec.NAME], each added to `programs`, which outlives the answer. BadData, with file and
// line.
SubTables program_tables(std::vector<ExecProgram>& programs);

// Adds what works here to the registry.
Status offer_programs(std::vector<ExecProgram> programs, HandlerRegistry& registry, Log& log);

}  // namespace cidbus
