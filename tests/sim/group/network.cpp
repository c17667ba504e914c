#include "tests/sim/group/network.h"

#include <algorithm>

namespace cidbus::group_sim {

using namespace group;

namespace {

GroupMessage flattered(const GroupMessage& message) {
  if (const auto* ok = std::get_if<Ok>(&message)) return Aye{ok->round, ok->rank};
  if (const auto* nay = std::get_if<Nay>(&message)) return Aye{nay->round, nay->rank};
  return message;
}

}  // namespace

void SimNetwork::send(Seat from, const Send& given) {
  ++sent_;
  const Send send{given.to, given.epoch, profile_.flatters ? flattered(given.message) : given.message};
  const bool lost = prng_.chance(profile_.loss_per_mille, 1000);
  if (is_cut(from, send.to) || lost) {
    ++lost_;
    return;
  }
  deliver_later(from, send);
  if (prng_.chance(profile_.repeat_per_mille, 1000)) deliver_later(from, send);
}

Monotonic SimNetwork::arrival(Seat from, Seat to, Channel channel) {
  const auto median = static_cast<std::uint64_t>(profile_.delay.count());
  Duration delay(prng_.between(median / 2, median * 3 / 2));
  if (prng_.chance(profile_.late_per_mille, 1000)) delay = Duration(prng_.between(1'000'000, 1'000'000'000));
  Monotonic at = timeline_.now().monotonic + delay;
  if (profile_.reorders) return at;
  Monotonic& last = last_arrival_[place(from)][place(to)][static_cast<std::size_t>(channel)];
  return last = std::max(last, at);
}

void SimNetwork::deliver_later(Seat from, const Send& send) {
  const std::uint32_t connection = connections_[place(from)][place(send.to)];
  timeline_.at(arrival(from, send.to, channel_of(send.message)), [this, from, connection, send] {
    if (connection == connections_[place(from)][place(send.to)])
      deliver_(send.to, Received{from, send.epoch, send.message});
  });
}

void SimNetwork::break_connection(Seat one, Seat other) {
  ++connections_[place(one)][place(other)];
  ++connections_[place(other)][place(one)];
}

}  // namespace cidbus::group_sim
