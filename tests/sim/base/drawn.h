// A time by chance, between two.
//
// Thread rule: pure. Limits: none.
#pragma once

#include "shared/base/prng.h"
#include "shared/base/time.h"

namespace cidbus::sim {

inline Duration drawn(Prng& prng, Duration least, Duration most) {
  return Duration(static_cast<Duration::rep>(
      prng.between(static_cast<std::uint64_t>(least.count()), static_cast<std::uint64_t>(most.count()))));
}

}  // namespace cidbus::sim
