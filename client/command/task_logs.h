// How `cidbus task logs` prints the attempts of a task: docs/command.md.
//
// Thread rule: the main thread. Limits: limits::attempts_logged.
#pragma once

#include <vector>

#include "client/command/output.h"
#include "client/library/task_questions.h"

namespace cidbus {

void print_logs(Output& output, const std::vector<AttemptRecord>& records);

}  // namespace cidbus
