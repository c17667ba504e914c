// The network between simulated brokers: it loses, repeats, delays and reorders; links are cut one way or
// both; connections break, and both ends are told, or, when a link is silently cut, nobody is.
//
// Invariants: 1. nothing is delivered twice over a link with no repetition, and in order with no reordering.
// 2. Chance has a stream of its own: switching another kind of fault off leaves this one as it was.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <array>
#include <functional>

#include "broker/consensus/inputs.h"
#include "shared/base/limits/group.h"
#include "shared/base/prng.h"
#include "tests/sim/timeline.h"

namespace cidbus::group_sim {

struct NetworkProfile {
  Duration delay = std::chrono::microseconds(100);  // one way, median
  std::uint32_t loss_per_mille = 0;
  std::uint32_t repeat_per_mille = 0;
  std::uint32_t late_per_mille = 0;  // of messages that take up to a second
  bool reorders = false;
  // Every answer to ELECTION arrives as AYE. Such answers bind nobody: who stands may be wrong, and nothing
  // that is promised may depend on it.
  bool flatters = false;
};

class SimNetwork {
 public:
  using Deliver = std::function<void(group::Seat to, group::Received received)>;

  SimNetwork(sim::Timeline& timeline, Prng prng, Deliver deliver)
      : timeline_(timeline), prng_(prng), deliver_(std::move(deliver)) {}

  void set_profile(const NetworkProfile& profile) { profile_ = profile; }
  void send(group::Seat from, const group::Send& send);

  // One way. What is under way arrives.
  void cut(group::Seat from, group::Seat to, bool is_cut) { cuts_[place(from)][place(to)] = is_cut; }
  void heal() { cuts_ = {}; }
  [[nodiscard]] bool is_cut(group::Seat from, group::Seat to) const { return cuts_[place(from)][place(to)]; }
  // What was under way between the two is lost.
  void break_connection(group::Seat one, group::Seat other);

  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  template <typename Value>
  using PerLink = std::array<std::array<Value, limits::brokers>, limits::brokers>;
  [[nodiscard]] Monotonic arrival(group::Seat from, group::Seat to, group::Channel channel);
  void deliver_later(group::Seat from, const group::Send& send);

  sim::Timeline& timeline_;
  Prng prng_;
  Deliver deliver_;
  NetworkProfile profile_;
  PerLink<bool> cuts_{};
  PerLink<std::uint32_t> connections_{};  // counts breaks: what an older one carried is lost
  PerLink<std::array<Monotonic, 2>> last_arrival_{};
  std::uint64_t sent_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace cidbus::group_sim
