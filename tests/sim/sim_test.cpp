#include <gtest/gtest.h>

#include "tests/sim/checkers/result_order.h"
#include "tests/sim/world.h"

namespace cidbus::sim {
namespace {

constexpr std::uint64_t seeds_in_every_test_run = 200;

RunReport run_seed(std::uint64_t seed) {
  try {
    return World(seed).run();
  } catch (const CheckFailed& failed) {
    ADD_FAILURE() << "seed " << seed << ": " << failed.checker << ": " << failed.what
                  << "\n  again: scripts/sim --from " << seed << " --seeds 1 --trace";
  }
  return {};
}

// C4: the checker of the numbers of results bites.
TEST(ResultOrder, NoticesANumberThatChangesAndACallbackOutOfOrder) {
  const auto told = [](std::uint64_t rseq, std::uint64_t task) {
    Results results{SessionId{{1}}, {ResultItem{}}};
    results.items[0].rseq = rseq;
    results.items[0].info.task = TaskId{task};
    return results;
  };
  ResultOrder order;
  order.on_told(told(1, 10));
  order.on_told(told(2, 20));
  order.on_called_back(TaskId{20});
  EXPECT_THROW(order.on_called_back(TaskId{10}), CheckFailed);
  EXPECT_THROW(order.on_told(told(1, 30)), CheckFailed);
  EXPECT_THROW(order.on_told(told(3, 20)), CheckFailed);
}

TEST(Simulation, ASeedReproducesARunToTheByte) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const RunReport first = run_seed(seed);
    const RunReport second = run_seed(seed);
    EXPECT_EQ(first.trace, second.trace) << "seed " << seed;
    EXPECT_EQ(first.steps, second.steps) << "seed " << seed;
    EXPECT_NE(first.trace, run_seed(seed + 100).trace) << "seeds must differ";
  }
}

TEST(Simulation, NothingAcceptedIsLostAndEverythingFinishesUnderFaults) {
  RunReport sum;
  for (std::uint64_t seed = 1; seed <= seeds_in_every_test_run; ++seed) sum.add(run_seed(seed));
  // A simulation in which nothing goes wrong proves nothing.
  EXPECT_GT(sum.accepted, 30'000U);
  EXPECT_GT(sum.completed, sum.accepted / 2);
  EXPECT_GT(sum.cancelled, 1'000U);
  EXPECT_GT(sum.requeues, 1'000U);
  EXPECT_GT(sum.strict_runs, 5'000U);
  EXPECT_GT(sum.task_events, 30'000U);
  EXPECT_GT(sum.config_changes, 200U);
  EXPECT_GT(sum.offices, 400U);
  for (const char* fault : {"kill -9",
                            "power cut",
                            "power cut of all",
                            "power cut within a write",
                            "stop in order",
                            "pause",
                            "hand-over by order",
                            "new leader is killed",
                            "clog between brokers",
                            "connection of brokers breaks",
                            "partition: isolates one",
                            "partition: two sides",
                            "partition: a bridge",
                            "partition: one is not heard",
                            "partition: one does not hear",
                            "partition: pairs",
                            "partition: single directions",
                            "connection of a node breaks",
                            "connection of a node is silent",
                            "connection of a node clogs",
                            "clock is set",
                            "clock runs wrong",
                            "disk is slow",
                            "disk is full",
                            "disk hangs",
                            "disk fails",
                            "bits of batches rot",
                            "bits of identifiers rot",
                            "a segment is lost",
                            "worker is killed",
                            "worker is drained",
                            "worker is paused",
                            "client is paused",
                            "rubbish on the bus",
                            "the leader's state is corrupted",
                            "a standby's state is corrupted"})
    EXPECT_GT(sum.faults[fault], 0U) << fault;
  for (const char* mark :
       {"C1 a node turns to the leader that the feed names", "C3 a submission sent again is recognised",
        "a broker passes on another's feed", "D1 damage is mended from its second place",
        "D2 a hole is refilled", "D3 a lost or new journal is whole", "E8 a journal is taken over by FETCH",
        "H2 a hand-over begins", "H3 a hand-over comes to nothing", "R2 a tail that nobody else has is cut",
        "R6 a broker ends because its disk failed", "R7 a wrong state is replaced", "a proposal expires",
        "a proposal is refused", "a proposal is rejected", "a snapshot is taken", "a vote is refused",
        "loop rule: a broker stood still", "section 8: a disk is full"})
    EXPECT_GT(sum.marks[mark], 0U) << mark;
  // Half of what these seeds have: a change that votes no longer reach a branch is noticed.
  const std::pair<const char*, std::uint64_t> often[] = {{"E3 another's candidacy is objected to", 400},
                                                         {"E4 a better broker is waited for", 350},
                                                         {"a vote is refused", 50},
                                                         {"a proposal is refused", 45},
                                                         {"a proposal is rejected", 6}};
  for (const auto& [mark, least] : often) EXPECT_GT(sum.marks[mark], least) << mark;
}

}  // namespace
}  // namespace cidbus::sim
