// What the programs that a configuration file speaks to think of it. `cidbus` is always among them, since
// every program reads [common]; a role is asked about its own table through its own program, and not started.
//
// Thread rule: the command's thread; it waits for the programs. Limits: none.
#pragma once

#include <string>
#include <vector>

#include "client/command/context.h"

namespace cidbus {

struct ConfigVerdict {
  std::string program;
  std::string state;    // ok, bad, unchecked
  std::string problem;  // empty when ok
  int code = 0;         // of the program; 0 unless bad
};

// The first verdict is that of `cidbus`. Faults of read_config_file().
Result<std::vector<ConfigVerdict>> check_config_file(Context& context, const std::string& file);

}  // namespace cidbus
