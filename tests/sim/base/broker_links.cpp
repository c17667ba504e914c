#include "tests/sim/base/broker_links.h"

#include "tests/sim/base/drawn.h"

namespace cidbus::sim {

using namespace std::chrono_literals;
using group::Seat;

void BrokerLinks::break_connection(std::size_t one, std::size_t other) {
  const Seat seats[] = {static_cast<Seat>(one), static_cast<Seat>(other)};
  network_.break_connection(seats[0], seats[1]);
  for (const int end : {0, 1}) {
    // Word of it travels too, and not over a silent link.
    if (network_.is_cut(seats[1 - end], seats[end])) continue;
    timeline_.after(drawn(prng_, 50us, 2ms), [this, self = end == 0 ? one : other, peer = seats[1 - end]] {
      owner_.on_link(self, peer, false);
    });
  }
  connect_later(one, other);
}

void BrokerLinks::on_death(std::size_t broker) {
  for (std::size_t other = 0; other < brokers_; ++other)
    if (other != broker) break_connection(broker, other);
}

void BrokerLinks::on_start(std::size_t broker) {
  for (std::size_t other = 0; other < brokers_; ++other)
    if (other != broker) connect_later(broker, other);
}

void BrokerLinks::connect_later(std::size_t one, std::size_t other) {
  timeline_.after(drawn(prng_, 3ms, 50ms), [this, one, other] {
    const auto seats = std::pair(static_cast<Seat>(one), static_cast<Seat>(other));
    const bool cut = network_.is_cut(seats.first, seats.second) || network_.is_cut(seats.second, seats.first);
    if (!owner_.runs(one) || !owner_.runs(other)) return;
    if (cut) return connect_later(one, other);
    owner_.on_link(one, seats.second, true);
    owner_.on_link(other, seats.first, true);
  });
}

}  // namespace cidbus::sim
