// The tables [role.NAME] of a configuration file: what each role asks of a machine, in place of the defaults
// of shared/node/role_profile.h. They belong to the machine and not to a program, so all that decide by them
// read them.
//
//     [role.worker]
//     minimum-memory-mb = 512
//
// Thread rule: values. Limits: the ranges that each key's fault names.
#pragma once

#include "shared/node/role_profile.h"
#include "shared/settings/settings.h"

namespace cidbus {

// Sets what the file says in `profiles`, which outlives the answer. BadData with the line for an unknown
// role, key or number.
[[nodiscard]] SubTables role_tables(RoleProfiles& profiles);

}  // namespace cidbus
