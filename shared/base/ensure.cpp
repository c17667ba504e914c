#include "shared/base/ensure.h"

#include <cstdio>
#include <cstdlib>

namespace cidbus {

void ensure_failed(const char* condition, const char* file, int line, const std::string& values) {
  std::fprintf(stderr, "%s:%d: bug: ENSURE(%s) does not hold:%s\n", file, line, condition, values.c_str());
  std::fflush(stderr);
  std::abort();
}

}  // namespace cidbus
