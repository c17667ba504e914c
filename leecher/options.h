// The command line of cidbus-leecher: running one, and asking a running one.
//
// Thread rule: the main thread. Limits: none.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "leecher/server.h"
#include "shared/io/node_options.h"

namespace cidbus {

struct RunLeecher {
  LeecherOptions leecher;
  NodeOptions node;  // as typed: its keys
};
void add_leecher_flags(CLI::App& app, RunLeecher& flags);

struct ShowStatus {
  std::string http;
  std::string output = "table";  // as every --output; quiet: its name
};
struct EditPins {
  enum class What { Add, Remove, List } what = What::List;
  std::string data;
  std::vector<std::string> pins;  // each a CID, name:NAME or tag:KEY=VALUE
};

// What is to be done; an exit code when the program should end now (help, version, one line about what is
// wrong); or a fault that is yet to be told.
using ParsedLeecher = std::variant<RunLeecher, ShowStatus, EditPins, int, Fault>;
ParsedLeecher parse_leecher_options(int argc, const char* const* argv);

// The leecher, open, with all it stands on.
Result<std::unique_ptr<RunningRole>> open_leecher(RunLeecher command);

// `cidbus-leecher status` and `pin`: what goes to standard output.
Result<std::string> show_status(const ShowStatus& wanted);
Result<std::string> edit_pins(const EditPins& wanted);

inline constexpr const char* leecher_program = "cidbus-leecher";

}  // namespace cidbus
