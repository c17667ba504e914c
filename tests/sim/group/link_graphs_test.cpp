#include "tests/sim/group/link_graphs.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace cidbus::group_sim {
namespace {

// Every graph once; where a majority is within reach, one leader within the time, and it stays.
void expect_all_settle(std::size_t brokers, std::uint64_t seeds_each) {
  std::vector<double> times;
  std::uint64_t required = 0;
  for (std::uint64_t graph = 0; graph < link_graphs(brokers); ++graph) {
    for (std::uint64_t seed = 1; seed <= seeds_each; ++seed) {
      try {
        const Settled result = settle(graph, brokers, seed * 100'000 + graph);
        if (!result.required) continue;
        ++required;
        EXPECT_TRUE(result.settled) << "graph " << graph << " of " << brokers << " brokers, seed " << seed;
        times.push_back(result.seconds);
      } catch (const CheckFailed& failed) {
        ADD_FAILURE() << "graph " << graph << " of " << brokers << " brokers, seed " << seed << ": "
                      << failed.checker << ": " << failed.what;
      }
    }
  }
  std::sort(times.begin(), times.end());
  ASSERT_FALSE(times.empty());
  std::cout << brokers << " brokers: " << required
            << " graphs in which a majority is within reach; settled in " << times[times.size() / 2]
            << " s (median), " << times[times.size() * 99 / 100] << " s (99 %), " << times.back()
            << " s (most)\n";
}

TEST(LinkGraphs, AllOfThreeBrokersSettle) { expect_all_settle(3, 20); }
TEST(LinkGraphs, AllOfFourBrokersSettle) { expect_all_settle(4, 4); }
TEST(LinkGraphs, AllOfFiveBrokersSettle) { expect_all_settle(5, 1); }

}  // namespace
}  // namespace cidbus::group_sim
