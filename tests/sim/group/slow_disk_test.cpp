// A leader whose disk does not keep up gives the office away, or up (CONSENSUS E9, H1): heartbeats alone
// would keep it in office, though it can make nothing durable itself.
#include <gtest/gtest.h>

#include "tests/sim/group/world.h"

namespace cidbus::group_sim {
namespace {

using namespace std::chrono_literals;

WorldOptions three_brokers() {
  WorldOptions options;
  options.brokers = 3;
  return options;
}

// Somebody leads, and goes on being given work.
class SlowDisk : public testing::TestWithParam<std::uint64_t> {
 protected:
  SlowDisk() : world_(GetParam(), three_brokers()) {
    EXPECT_TRUE(world_.run_until(10s, [this] { return world_.sole_leader() != nullptr; }));
    leader_ = place(world_.sole_leader()->config().self());
    work_for(100ms);
  }
  void work_for(Duration time) {
    work_until(time, [] { return false; });
  }
  bool work_until(Duration most, const std::function<bool()>& done) {
    const Monotonic until = world_.timeline().now().monotonic + most;
    while (world_.timeline().now().monotonic < until && !done()) {
      world_.submit_to_leaders();
      world_.run_for(5ms);
    }
    return done();
  }
  [[nodiscard]] bool another_serves() {
    for (std::size_t at = 0; at < world_.size(); ++at)
      if (at != leader_ && world_.broker(at).serving()) return true;
    return false;
  }
  void expect_nothing_lost() {
    ASSERT_TRUE(world_.run_until(10s, [this] { return world_.sole_leader() != nullptr; }));
    work_for(500ms);
    world_.checkers().acknowledged.on_end(world_.sole_leader()->state());
  }

  World world_;
  std::size_t leader_ = 0;
};

TEST_P(SlowDisk, OfALeaderThatHangsIsNoticedAndTheOfficeHandedOver) {
  world_.broker(leader_).disk().set_hung(true);
  // T_e until it counts as unfit; then the hand-over, for which its own disk is not needed.
  EXPECT_TRUE(work_until(500ms, [this] { return another_serves(); }));
  world_.broker(leader_).disk().set_hung(false);
  expect_nothing_lost();
}

TEST_P(SlowDisk, OfALeaderThatIsSlowerThanItsSuspicionIsNoticedToo) {
  world_.broker(leader_).disk().set_slow(700ms);
  EXPECT_TRUE(work_until(1500ms, [this] { return another_serves(); }));
  work_for(3s);
  EXPECT_TRUE(another_serves()) << "it does not come back while it is slow";
  world_.broker(leader_).disk().set_slow({});
  expect_nothing_lost();
}

TEST_P(SlowDisk, OfEveryBrokerMakesTheLeaderGiveTheOfficeUp) {
  for (std::size_t at = 0; at < world_.size(); ++at) world_.broker(at).disk().set_hung(true);
  const Monotonic hung = world_.timeline().now().monotonic;
  EXPECT_TRUE(work_until(3s, [this] { return !world_.broker(leader_).group().in_office(); }));
  const Duration stayed = world_.timeline().now().monotonic - hung;
  EXPECT_GE(stayed, 1900ms) << "not before 2 s: its disk may recover";
  EXPECT_LE(stayed, 2200ms);
  for (std::size_t at = 0; at < world_.size(); ++at) world_.broker(at).disk().set_hung(false);
  expect_nothing_lost();
}

TEST_P(SlowDisk, ThatHasNoRoomForNewWorkMakesALeaderHandOver) {
  world_.broker(leader_).on(group::RoomKnown{false, true});
  // It takes no new work meanwhile, so the others catch up.
  EXPECT_TRUE(world_.run_until(2s, [this] { return another_serves(); })) << "the others have room";
  world_.broker(leader_).on(group::RoomKnown{});
  expect_nothing_lost();
}

TEST_P(SlowDisk, ThatIsFullMakesALeaderHandOverAndAStandbyNotCount) {
  world_.broker(leader_).disk().set_full(true);
  world_.broker(leader_).on(group::RoomKnown{true});
  EXPECT_TRUE(work_until(1s, [this] { return another_serves(); }));
  work_for(1s);
  EXPECT_TRUE(another_serves()) << "the full one follows, and the two others are a majority";
  world_.broker(leader_).disk().set_full(false);
  world_.broker(leader_).on(group::RoomKnown{false});
  expect_nothing_lost();
}

TEST_P(SlowDisk, ThatFailsASyncEndsItsBrokerAndNothingElse) {
  world_.broker(leader_).disk().fail_next_sync(
      [this] { world_.timeline().after({}, [this] { world_.kill(leader_); }); });
  EXPECT_TRUE(work_until(1s, [this] { return another_serves(); }));
  EXPECT_FALSE(world_.broker(leader_).running());
  world_.restart(leader_);
  expect_nothing_lost();
}

INSTANTIATE_TEST_SUITE_P(Seeds, SlowDisk, testing::Range<std::uint64_t>(1, 21));

}  // namespace
}  // namespace cidbus::group_sim
