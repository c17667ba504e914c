// 'cidbus-broker journal ...': what a person does with the data folder of a broker that does not run.
//
// Thread rule: the main thread. Limits: those of broker/tool.
#pragma once

#include <optional>

namespace cidbus {

// The exit code when the command line is one of these; nothing when it asks for a broker. 0: whole, or done;
// 2: wrong usage; 65: damaged; 75: a broker runs on the folder.
std::optional<int> run_journal_command(int argc, const char* const* argv);

}  // namespace cidbus
