// The one place that reads the system's clocks; everything else is given `now`.
//
// Thread rule: any thread. Limits: none.
#pragma once

#include "shared/base/time.h"

namespace cidbus {

Now read_clock();
// Half of it, where that is asked for twice a task.
Monotonic read_monotonic();

}  // namespace cidbus
