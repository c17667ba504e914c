// Partitions of every shape: which links between the brokers of a group are cut.
//
// Thread rule: pure. Limits: limits::brokers.
#pragma once

#include <string>

#include "tests/sim/base/broker_network.h"

namespace cidbus::sim {

struct Partition {
  std::string shape;
  PerLink<bool> cut{};
  group::Seat alone = group::nobody;  // where one broker is apart from all others
};

// REQUIRES: two brokers at least.
Partition draw_partition(Prng& prng, std::size_t brokers);

}  // namespace cidbus::sim
