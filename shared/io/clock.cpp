#include "shared/io/clock.h"

namespace cidbus {

Monotonic read_monotonic() {
  return Monotonic(std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

Now read_clock() {
  using namespace std::chrono;
  const auto wall = system_clock::now().time_since_epoch();
  return {read_monotonic(), WallTime{duration_cast<milliseconds>(wall).count()}};
}

}  // namespace cidbus
