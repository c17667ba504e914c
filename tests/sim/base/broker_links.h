// The connections between simulated brokers: when they break, both ends are told after a moment, unless the
// word cannot get through, and they stand again as soon as both brokers run and reach each other.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include "tests/sim/base/broker_network.h"

namespace cidbus::sim {

class BrokerLinks {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    [[nodiscard]] virtual bool runs(std::size_t broker) const = 0;
    virtual void on_link(std::size_t broker, group::Seat peer, bool up) = 0;
  };

  // All referred to outlives it.
  BrokerLinks(Timeline& timeline, BrokerNetwork& network, Prng prng, std::size_t brokers, Owner& owner)
      : timeline_(timeline), network_(network), prng_(prng), brokers_(brokers), owner_(owner) {}

  void break_connection(std::size_t one, std::size_t other);
  // It has died: all its connections break.
  void on_death(std::size_t broker);
  void on_start(std::size_t broker);

 private:
  void connect_later(std::size_t one, std::size_t other);

  Timeline& timeline_;
  BrokerNetwork& network_;
  Prng prng_;
  std::size_t brokers_;
  Owner& owner_;
};

}  // namespace cidbus::sim
