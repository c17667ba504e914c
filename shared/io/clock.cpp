#include "shared/io/clock.h"

namespace cidbus {

Now read_clock() {
  using namespace std::chrono;
  const auto monotonic = steady_clock::now().time_since_epoch();
  const auto wall = system_clock::now().time_since_epoch();
  return {Monotonic(duration_cast<Duration>(monotonic)), WallTime{duration_cast<milliseconds>(wall).count()}};
}

}  // namespace cidbus
