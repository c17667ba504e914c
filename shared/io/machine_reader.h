// Measures this machine, or the share of it that a container gives this process (shared/node/machine.h).
//
// Thread rule: a function that reads the system; any thread. Limits: a file of /proc or /sys/fs/cgroup is
// read up to 64 KiB.
#pragma once

#include <string>

#include "shared/node/machine.h"

namespace cidbus {

// `folder`: whose disk is told; the nearest folder above it that is there stands for one that is not. `root`:
// where proc and sys are; a test has them elsewhere. What cannot be read is 0 or nothing.
[[nodiscard]] Machine read_machine(const std::string& folder, const std::string& root = "");

}  // namespace cidbus
