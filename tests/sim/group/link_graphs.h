// Groups under every cut: a healthy leader, journals with tails of different length, then some links are cut
// for good. Where some broker reaches a majority both ways, one leader must come and stay (CONSENSUS E4, E8).
//
// Thread rule: one thread. Limits: settle_within.
#pragma once

#include <cstdint>
#include <string>

#include "tests/sim/group/world.h"

namespace cidbus::group_sim {

inline constexpr Duration settle_within = std::chrono::seconds(20);
inline constexpr Duration stay_for = std::chrono::seconds(20);

// Number of graphs of two-way links between `brokers`: one bit a pair.
constexpr std::uint64_t link_graphs(std::size_t brokers) { return 1ULL << brokers * (brokers - 1) / 2; }

struct Settled {
  bool required = false;  // some broker has two-way links to a majority, itself included
  bool settled = false;
  double seconds = 0;  // until the leader that stayed was in office
};
// Runs one graph. Truths that do not hold are thrown (check.h).
Settled settle(std::uint64_t graph, std::size_t brokers, std::uint64_t seed);

}  // namespace cidbus::group_sim
