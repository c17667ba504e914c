// How long nobody serves when a leader goes (CONSENSUS section 12), measured until OPEN of the next one is
// committed: the core's share of the time; connections of clients come on top.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <optional>

#include "tests/sim/group/world.h"

namespace cidbus::group_sim {
namespace {

using namespace std::chrono_literals;

struct Failover {
  std::vector<double> milliseconds;
  std::size_t best_rank_won = 0;
};

enum class Loss { Killed, CutOff };

// A machine with more to do than it can: each broker runs for a moment, and then stands still for up to so
// long.
class BusyMachine {
 public:
  BusyMachine(World& world, std::uint64_t seed, Duration still) : world_(world), prng_(seed), still_(still) {
    for (std::size_t at = 0; at < world_.size(); ++at) run(at);
  }

 private:
  void run(std::size_t at) {
    world_.timeline().after(Duration(prng_.below(5'000'000)), [this, at] {
      if (world_.broker(at).running()) world_.broker(at).pause();
      world_.timeline().after(Duration(prng_.below(static_cast<std::uint64_t>(still_.count()))), [this, at] {
        if (world_.broker(at).running()) world_.broker(at).resume();
        run(at);
      });
    });
  }

  World& world_;
  Prng prng_;
  Duration still_;
};

// The leader goes once a seed, at a moment drawn from it; the others are healthy.
Failover lose_leaders(Loss loss, std::size_t brokers, std::uint64_t seeds, Duration still = {},
                      Duration sync = 800us) {
  Failover result;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    WorldOptions options;
    options.brokers = brokers;
    World world(seed, options);
    Prng prng(seed);
    // Healthy disks: what a slow sync costs is its own length, twice.
    for (std::size_t at = 0; at < brokers; ++at) world.broker(at).disk().set_profile({sync, 0});
    std::optional<BusyMachine> busy;
    if (still > 0s) busy.emplace(world, seed, still);
    EXPECT_TRUE(world.run_until(10s, [&] { return world.sole_leader() != nullptr; }));
    world.run_for(500ms + Duration(prng.below(100'000'000)));
    for (int count = 0; count < 10; ++count) world.submit_to_leaders();
    world.run_for(20ms);
    // On a busy machine it may stand still just now, or have been deposed for it.
    EXPECT_TRUE(world.run_until(10s, [&] { return world.sole_leader() != nullptr; }));
    const SimBroker* old = world.sole_leader();
    const std::size_t lost = place(old->config().self());
    const Monotonic at = world.timeline().now().monotonic;
    if (loss == Loss::Killed) {
      world.kill(lost);
    } else {
      for (std::size_t other = 0; other < brokers; ++other) {
        world.network().cut(static_cast<group::Seat>(lost), static_cast<group::Seat>(other), true);
        world.network().cut(static_cast<group::Seat>(other), static_cast<group::Seat>(lost), true);
      }
    }
    SimBroker* next = nullptr;
    const bool again = world.run_until(10s, [&] {
      for (std::size_t other = 0; other < brokers; ++other)
        if (other != lost && world.broker(other).serving()) next = &world.broker(other);
      return next != nullptr;
    });
    EXPECT_TRUE(again) << "seed " << seed;
    if (!again) continue;
    result.milliseconds.push_back(
        std::chrono::duration<double, std::milli>(world.timeline().now().monotonic - at).count());
    const auto rank = [&](group::Seat seat) { return std::pair(next->config().at(seat).priority, seat); };
    bool best = true;
    for (std::size_t other = 0; other < brokers; ++other)
      if (other != lost) best = best && rank(static_cast<group::Seat>(other)) <= rank(next->config().self());
    if (best) ++result.best_rank_won;
  }
  std::sort(result.milliseconds.begin(), result.milliseconds.end());
  return result;
}

double percentile(const Failover& failover, std::size_t percent) {
  return failover.milliseconds[(failover.milliseconds.size() - 1) * percent / 100];
}

void tell(const char* what, const Failover& failover) {
  std::cout << what << ": p50 " << percentile(failover, 50) << " ms, p99 " << percentile(failover, 99)
            << " ms, worst " << failover.milliseconds.back() << " ms; the best rank won "
            << failover.best_rank_won << " of " << failover.milliseconds.size() << "\n";
}

TEST(Failover, AKilledLeaderIsReplacedInMillisecondsByTheBestRank) {
  const Failover failover = lose_leaders(Loss::Killed, 3, 500);
  tell("three brokers, leader killed", failover);
  EXPECT_LE(percentile(failover, 50), 30);
  EXPECT_LE(percentile(failover, 99), 40);
  EXPECT_LE(failover.milliseconds.back(), 100);
  EXPECT_EQ(failover.best_rank_won, failover.milliseconds.size());
}

// What a loaded machine does: an answer takes longer than T_ok, and a sync a part of T_vote.
TEST(Failover, OnABusyMachineTheBestRankWinsToo) {
  struct Busy {
    Duration still, sync;
    double worst;  // milliseconds
  };
  for (const Busy& busy : {Busy{80ms, 1ms, 600}, Busy{40ms, 60ms, 500}, Busy{1ms, 60ms, 300}}) {
    const Failover failover = lose_leaders(Loss::Killed, 3, 300, busy.still, busy.sync);
    tell("three brokers, leader killed on a busy machine", failover);
    EXPECT_EQ(failover.best_rank_won, failover.milliseconds.size());
    EXPECT_LE(failover.milliseconds.back(), busy.worst);
  }
}

TEST(Failover, ALeaderThatIsCutOffIsReplacedWithinItsSuspicion) {
  const Failover failover = lose_leaders(Loss::CutOff, 3, 500);
  tell("three brokers, leader cut off", failover);
  EXPECT_LE(percentile(failover, 50), 320);
  EXPECT_LE(percentile(failover, 99), 350);
  EXPECT_LE(failover.milliseconds.back(), 400);
}

TEST(Failover, FiveBrokersAreNoSlower) {
  const Failover failover = lose_leaders(Loss::Killed, 5, 200);
  tell("five brokers, leader killed", failover);
  EXPECT_LE(percentile(failover, 50), 30);
  EXPECT_LE(failover.milliseconds.back(), 100);
}

}  // namespace
}  // namespace cidbus::group_sim
