// What a RoleManager says of roles and of its machine, before any role runs.
//
// Thread rule: functions of their arguments and the machine. Limits: none.
#pragma once

#include "cidbus/cluster/role_manager.h"
#include "shared/io/allow_list.h"
#include "shared/io/node_options.h"
#include "shared/node/machine.h"

namespace cidbus::v1 {

const char* description_of(NodeRole role);
// What its program is told beyond where and who it is.
Dict overrides_of(NodeRole role);

// What is measured, in the place of which what was given counts. BadUsage for what is no number.
Result<Machine> machine_of(const Dict& resources);
Dict resources_of(const Machine& machine);

// NotFound where none is named, BadUsage for one that cannot be read.
Result<AllowList> read_allow_list(const KeyOptions& keys);

}  // namespace cidbus::v1
