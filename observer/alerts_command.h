// `cidbus-observer alerts list|silence|unsilence|ack` and `cidbus-observer rules list|test`: by the
// observer's folder alone, whether it runs or not.
//
// Thread rule: the main thread. Limits: limits::silences; limits::history_rows.
#pragma once

#include <optional>

namespace cidbus {

// The exit code, when the command line is one of these; nothing when it is not.
std::optional<int> run_alerts_command(int argc, const char* const* argv);
std::optional<int> run_rules_command(int argc, const char* const* argv);

}  // namespace cidbus
