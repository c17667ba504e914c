// The programs that a worker's configuration names become task types, where this machine can wall them in.
//
// Each is tried once at the start, with `true` in its place: a program whose sandbox cannot be built is not
// offered, and the log says why and what to do. The built-in task types go on.
//
// Thread rule: the main thread, before the worker starts. Limits: limits::programs.
#pragma once

#include <string>
#include <vector>

#include "shared/io/log.h"
#include "shared/settings/config_value.h"
#include "worker/handlers/exec_config.h"

namespace cidbus {

// Every table [worker.exec.NAME] of the file. BadData, with file and line.
Result<std::vector<ExecProgram>> read_programs(const std::string& config_file);

// Reads the file, none when it is empty, and adds what works here to the registry.
Status offer_programs(const std::string& config_file, HandlerRegistry& registry, Log& log);

}  // namespace cidbus
