// `cidbus-observer history list|show|export`: reads the history in an observer's folder, whether that
// observer runs or not, and never writes there.
//
// Thread rule: the main thread. Limits: limits::history_rows.
#pragma once

#include <optional>

namespace cidbus {

// The exit code, when the command line is one of these; nothing when it is not.
std::optional<int> run_history_command(int argc, const char* const* argv);

}  // namespace cidbus
