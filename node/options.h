// The command line of cidbus-node, and the node that it asks for.
//
// A node keeps its identity: its name stands in its data folder from the first start on, whichever role it is
// in, and each role has a folder of its own in there.
//
// Thread rule: the main thread. Limits: none.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "node/role_words.h"
#include "shared/io/node_options.h"
#include "shared/node/role_policy.h"

namespace cidbus {

struct NodeCommand {
  NodeOptions node;  // its name is empty when the data folder says it
  std::string data;
  std::string role = "auto";  // as --role says it
  std::vector<Role> roles;    // empty: whichever fits the machine
  Words words;                // of the roles
  std::string config;         // the file of --config, for every role too; empty without it
  RoleProfiles profiles = default_profiles();
  bool may_switch = false;  // to another role, by itself
  bool greets = false;      // prints where it serves and how others join, once it does
};

// What is to be run; an exit code when the program should end now (help, version, one line about what is
// wrong); or a fault that is yet to be told.
using ParsedNode = std::variant<NodeCommand, int, Fault>;
ParsedNode parse_node_options(int argc, const char* const* argv);

// The node, open. TryAgain when another process has its folder, Failed when the machine can carry no role.
Result<std::unique_ptr<RunningRole>> open_node(NodeCommand command);

inline constexpr const char* node_program = "cidbus-node";

}  // namespace cidbus
