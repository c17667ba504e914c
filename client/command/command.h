// The `cidbus` command: one line of words in, an answer on standard output, an exit code (DESIGN section 11).
//
// Invariants
//  1. Whatever goes wrong is one line on standard error: what, why, what to do.
//  2. A line that makes no sense is refused before anything is sent.
//
// Thread rule: one at a time. Limits: none.
#pragma once

#include <string>
#include <vector>

#include "client/command/environment.h"

namespace cidbus {

// The words behind the program's name. The exit code.
int run_command(const std::vector<std::string>& words, Environment& environment);

}  // namespace cidbus
