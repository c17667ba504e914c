#include "tests/sim/group/link_graphs.h"

#include <array>

namespace cidbus::group_sim {

using namespace std::chrono_literals;
using group::Seat;

namespace {

std::array<std::size_t, limits::brokers> cut_links(World& world, std::uint64_t graph) {
  std::array<std::size_t, limits::brokers> reach{};
  std::size_t bit = 0;
  for (std::size_t one = 0; one < world.size(); ++one) {
    ++reach[one];
    for (std::size_t other = one + 1; other < world.size(); ++other, ++bit) {
      const bool linked = (graph >> bit & 1U) != 0;
      world.network().cut(static_cast<Seat>(one), static_cast<Seat>(other), !linked);
      world.network().cut(static_cast<Seat>(other), static_cast<Seat>(one), !linked);
      if (linked) ++reach[one], ++reach[other];
    }
  }
  return reach;
}

// Tails that differ: some brokers hear nothing of the last submissions.
void make_tails(World& world, Prng& prng) {
  for (std::size_t at = 0; at < world.size(); ++at)
    for (std::size_t other = 0; other < world.size(); ++other)
      if (at != other && prng.chance(1, 3))
        world.network().cut(static_cast<Seat>(at), static_cast<Seat>(other), true);
  for (std::uint64_t count = prng.below(20); count > 0; --count) {
    world.submit_to_leaders();
    world.run_for(5ms);
  }
}

}  // namespace

Settled settle(std::uint64_t graph, std::size_t brokers, std::uint64_t seed) {
  WorldOptions options;
  options.brokers = brokers;
  World world(seed, options);
  Prng prng(seed ^ mix_bits(graph));
  check(world.run_until(10s, [&] { return world.sole_leader() != nullptr; }), "first leader", "none in 10 s");
  for (int count = 0; count < 20; ++count) {
    world.submit_to_leaders();
    world.run_for(5ms);
  }
  make_tails(world, prng);
  Settled result;
  for (const std::size_t reach : cut_links(world, graph)) result.required |= reach >= brokers / 2 + 1;
  if (!result.required) {
    world.run_for(3s);
    return result;
  }
  const Monotonic cut_at = world.timeline().now().monotonic;
  const Monotonic until = cut_at + settle_within;
  while (world.timeline().now().monotonic < until) {
    SimBroker* leader = nullptr;
    if (!world.run_until(until - world.timeline().now().monotonic,
                         [&] { return (leader = world.sole_leader()) != nullptr; }))
      break;
    const Epoch epoch = leader->group().epoch();
    const Monotonic since = world.timeline().now().monotonic;
    // Unchanged so long; the old one, cut off, may take a moment to notice.
    if (world.run_until(stay_for, [&] { return !leader->serving() || leader->group().epoch() != epoch; }))
      continue;
    result.settled = world.sole_leader() == leader;
    result.seconds = std::chrono::duration<double>(since - cut_at).count();
    return result;
  }
  return result;
}

}  // namespace cidbus::group_sim
