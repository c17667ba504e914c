// The network between simulated brokers: it loses, repeats, delays and reorders; links are cut one way or
// both, or clogged; connections break, and both ends are told, or, when a link is silently cut, nobody is.
//
// What a message is, is the sender's business: here it is what happens when it arrives. So the brokers' cores
// (tests/sim/group) and whole brokers (tests/sim) meet the same network.
//
// Invariants: 1. nothing is delivered twice over a link with no repetition, and in order with no reordering.
// 2. Chance has a stream of its own: switching another kind of fault off leaves this one as it was.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "shared/base/limits/group.h"
#include "shared/base/prng.h"
#include "shared/core/group_messages.h"
#include "tests/sim/base/timeline.h"

namespace cidbus::sim {

// A value for each link, from one broker to another.
template <typename Value>
using PerLink = std::array<std::array<Value, limits::brokers>, limits::brokers>;

struct NetworkProfile {
  Duration delay = std::chrono::microseconds(100);  // one way, median
  std::uint32_t loss_per_mille = 0;
  std::uint32_t repeat_per_mille = 0;
  std::uint32_t late_per_mille = 0;  // of messages that take up to a second
  bool reorders = false;
  // Some messages come once more, seconds later, to whatever life of the broker they were sent to: no message
  // may do harm by its age.
  bool haunted = false;
};

// A network with some of these, by chance.
NetworkProfile draw_network(Prng& prng);

class BrokerNetwork {
 public:
  using Arrival = std::function<void()>;

  BrokerNetwork(Timeline& timeline, Prng prng) : timeline_(timeline), prng_(prng) {}

  void set_profile(const NetworkProfile& profile) { profile_ = profile; }
  // `arrives` happens once, more often, or never.
  void send(group::Seat from, group::Seat to, group::Channel channel, const Arrival& arrives);

  // One way. What is under way arrives.
  void cut(group::Seat from, group::Seat to, bool is_cut) { cuts_[place(from)][place(to)] = is_cut; }
  void cut(const PerLink<bool>& cuts) { cuts_ = cuts; }
  // One way: what arrives is held, and comes all at once when it is over.
  void clog(group::Seat from, group::Seat to, Duration lasts);
  // Nothing is cut or clogged any more.
  void heal();
  [[nodiscard]] bool is_cut(group::Seat from, group::Seat to) const { return cuts_[place(from)][place(to)]; }
  // What was under way between the two is lost.
  void break_connection(group::Seat one, group::Seat other);

  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  struct Link {
    std::uint32_t connection = 0;  // counts breaks: what an older one carried is lost
    bool clogged = false;
    std::vector<Arrival> held;
    std::array<Monotonic, 2> last_arrival{};  // by channel
  };
  [[nodiscard]] Monotonic arrival(Link& link, group::Channel channel);
  void deliver_later(Link& link, group::Channel channel, const Arrival& arrives);
  void unclog(Link& link);

  Timeline& timeline_;
  Prng prng_;
  NetworkProfile profile_;
  PerLink<bool> cuts_{};
  PerLink<Link> links_{};
  std::uint64_t sent_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace cidbus::sim
