// Where the cluster is when a program does not say: what the command and the other programs take too.
//
// Thread rule: any thread, as long as none changes the environment. Limits: none.
#pragma once

#include <string>
#include <vector>

#include "cidbus/namespace.h"

namespace cidbus::v1 {

// CIDBUS_BROKERS, split at its commas; 127.0.0.1:9096 when it is not set.
std::vector<std::string> default_brokers();
// CIDBUS_CLUSTER; "cidbus" when it is not set.
std::string default_cluster();

}  // namespace cidbus::v1
