// Whether somebody listens at an address, by plain TCP: the first step of the way to a broker.
//
// Thread rule: any; it waits. Limits: resolving a name takes as long as the system's resolver gives it.
#pragma once

#include <string>

#include "client/command/machine_checks.h"
#include "shared/base/time.h"

namespace cidbus {

// `address` is HOST:PORT. Bad (69) names it, what the system says, and what that means.
Finding check_address(const std::string& address, Duration patience);

}  // namespace cidbus
