#include "tests/sim/base/broker_network.h"

#include <algorithm>
#include <utility>

#include "tests/sim/base/drawn.h"

namespace cidbus::sim {

using group::Channel;
using group::place;
using group::Seat;
using namespace std::chrono_literals;

NetworkProfile draw_network(Prng& prng) {
  NetworkProfile profile;
  profile.delay = drawn(prng, 30us, prng.chance(1, 4) ? 20ms : 1ms);
  if (prng.chance(1, 3)) profile.loss_per_mille = static_cast<std::uint32_t>(prng.between(1, 200));
  if (prng.chance(1, 3)) profile.repeat_per_mille = static_cast<std::uint32_t>(prng.between(1, 300));
  if (prng.chance(1, 3)) profile.late_per_mille = static_cast<std::uint32_t>(prng.between(1, 50));
  profile.reorders = prng.chance(1, 3);
  return profile;
}

void BrokerNetwork::send(Seat from, Seat to, Channel channel, const Arrival& arrives) {
  ++sent_;
  const bool lost = prng_.chance(profile_.loss_per_mille, 1000);
  if (is_cut(from, to) || lost) {
    ++lost_;
    return;
  }
  Link& link = links_[place(from)][place(to)];
  deliver_later(link, channel, arrives);
  if (profile_.haunted && prng_.chance(3, 1000)) timeline_.after(drawn(prng_, 1ms, 5s), arrives);
  if (prng_.chance(profile_.repeat_per_mille, 1000)) deliver_later(link, channel, arrives);
}

Monotonic BrokerNetwork::arrival(Link& link, Channel channel) {
  const auto median = static_cast<std::uint64_t>(profile_.delay.count());
  Duration delay(prng_.between(median / 2, median * 3 / 2));
  if (prng_.chance(profile_.late_per_mille, 1000)) delay = Duration(prng_.between(1'000'000, 1'000'000'000));
  Monotonic at = timeline_.now().monotonic + delay;
  if (profile_.reorders) return at;
  Monotonic& last = link.last_arrival[static_cast<std::size_t>(channel)];
  return last = std::max(last, at);
}

void BrokerNetwork::deliver_later(Link& link, Channel channel, const Arrival& arrives) {
  timeline_.at(arrival(link, channel), [&link, connection = link.connection, arrives] {
    if (connection != link.connection) return;
    if (link.clogged) return link.held.push_back(arrives);
    arrives();
  });
}

void BrokerNetwork::clog(Seat from, Seat to, Duration lasts) {
  Link& link = links_[place(from)][place(to)];
  if (link.clogged) return;
  link.clogged = true;
  timeline_.after(lasts, [this, &link] { unclog(link); });
}

// Each by an event of its own: what one brings about may end the run.
void BrokerNetwork::unclog(Link& link) {
  link.clogged = false;
  for (Arrival& arrives : std::exchange(link.held, {})) {
    timeline_.after({}, [&link, connection = link.connection, arrives = std::move(arrives)] {
      if (connection == link.connection) arrives();
    });
  }
}

void BrokerNetwork::heal() {
  cuts_ = {};
  for (auto& row : links_)
    for (Link& link : row) unclog(link);
}

void BrokerNetwork::break_connection(Seat one, Seat other) {
  for (Link* link : {&links_[place(one)][place(other)], &links_[place(other)][place(one)]}) {
    ++link->connection;
    link->held.clear();
  }
}

}  // namespace cidbus::sim
