#include "tests/sim/base/partitions.h"

#include <algorithm>
#include <functional>

namespace cidbus::sim {
namespace {

using Rule = std::function<bool(std::size_t from, std::size_t to)>;

Partition cut_where(std::string shape, std::size_t brokers, const Rule& rule) {
  Partition partition{std::move(shape)};
  for (std::size_t from = 0; from < brokers; ++from) {
    for (std::size_t to = 0; to < brokers; ++to) partition.cut[from][to] = from != to && rule(from, to);
  }
  return partition;
}

}  // namespace

Partition draw_partition(Prng& prng, std::size_t brokers) {
  const std::size_t one = prng.below(brokers);
  const std::uint64_t sides = prng();  // a bit a broker
  const auto apart = [&](std::size_t from, std::size_t to) {
    return ((sides >> from ^ sides >> to) & 1) != 0;
  };
  Partition partition;
  switch (prng.below(7)) {
    case 0:
      partition =
          cut_where("isolates one", brokers, [&](auto from, auto to) { return from == one || to == one; });
      partition.alone = static_cast<group::Seat>(one);
      return partition;
    case 1:
      return cut_where("two sides", brokers, apart);
    case 2:
      return cut_where("a bridge", brokers,
                       [&](auto from, auto to) { return apart(from, to) && from != one && to != one; });
    case 3:
      return cut_where("one is not heard", brokers, [&](auto from, auto) { return from == one; });
    case 4:
      return cut_where("one does not hear", brokers, [&](auto, auto to) { return to == one; });
    case 5: {
      PerLink<bool> pairs{};
      for (auto& row : pairs)
        for (bool& cut : row) cut = prng.chance(1, 2);
      return cut_where("pairs", brokers,
                       [&](auto from, auto to) { return pairs[std::min(from, to)][std::max(from, to)]; });
    }
    default:
      return cut_where("single directions", brokers, [&](auto, auto) { return prng.chance(1, 2); });
  }
}

}  // namespace cidbus::sim
