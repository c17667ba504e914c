// Other programs, run to their end.
//
// Thread rule: functions; each waits for the program. Limits: 64 KiB of what it says on standard error are
// kept.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "shared/base/result.h"

namespace cidbus {

// In `folder`, or else where PATH says; empty when it is nowhere.
std::string find_program(const std::string& name, const std::string& folder);

struct ProgramEnd {
  int code = 0;  // as a shell tells it: 128 + the signal's number
  std::string errors;
};
// Without input, its standard output dropped. Failed when it cannot be started. REQUIRES: words is not empty.
Result<ProgramEnd> run_program(const std::vector<std::string>& words);
// Runs beside this one, without the CIDBUS_ variables of this one's environment and with all it says in
// `log_file`. Gives its number, to be stopped and waited for; it is killed when the thread that called this
// ends. REQUIRES: words is not empty.
Result<pid_t> start_program(const std::vector<std::string>& words, const std::string& log_file);
// Runs it in the place of this one: it has the terminal, and Ctrl+C is its own. Returns only with the fault
// that it cannot be started. REQUIRES: words is not empty.
Result<int> become_program(const std::vector<std::string>& words);

}  // namespace cidbus
