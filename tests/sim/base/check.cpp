#include "tests/sim/base/check.h"

#include "shared/base/ensure.h"

namespace cidbus {

// In place of the one that aborts.
void ensure_failed(const char* condition, const char* file, int line, const std::string& values) {
  sim::fail_check("ENSURE", std::string(file) + ":" + std::to_string(line) + ": " + condition + ":" + values);
}

}  // namespace cidbus
