// Sends the brokers what no node would: random bytes, other clusters and versions, real frames cut short or
// said by another.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include "shared/wire/codec.h"
#include "tests/sim/bus_network.h"

namespace cidbus::sim {

class RubbishSender {
 public:
  RubbishSender(BusNetwork& network, std::size_t brokers, Prng prng)
      : network_(network), brokers_(brokers), prng_(prng) {}

  void send();
  [[nodiscard]] std::uint64_t sent() const { return sent_; }

 private:
  BusNetwork& network_;
  std::size_t brokers_;
  Prng prng_;
  Encoder encoder_;
  std::uint64_t sent_ = 0;
};

}  // namespace cidbus::sim
