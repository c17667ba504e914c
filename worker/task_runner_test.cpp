#include "worker/task_runner.h"

#include <gtest/gtest.h>

#include "shared/io/clock.h"
#include "shared/wire/work.h"
#include "tests/support/simulated_disk.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;

TEST(TaskRunnerTest, AJobThatIsCancelledWaitsForNoBlockThatNobodyHolds) {
  SocketContext sockets;
  const HandlerRegistry handlers = built_in_handlers();
  MemoryStore store(1 << 20, WhenFull::Refuse);
  SimulatedDisk disk;
  ASSERT_TRUE(disk.create_directory("data"));
  const auto pins = Pins::open(disk, "data");
  ASSERT_TRUE(pins);
  MemoryStore cache(64 << 20, WhenFull::Evict);
  // Nobody listens there: whatever is looked for is not found.
  TaskRunner runner(
      {sockets, {"test", "w1", Role::Worker, {1}}, {"127.0.0.1:1"}, handlers, store, **pins, cache, 1h});
  const std::string nowhere = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
  Job job;
  job.type = "hash";
  job.work = encode_work({{as_bytes(nowhere)}, {}});
  job.cancelled.cancel();
  const Monotonic began = read_clock().monotonic;
  const JobEnd end = runner.run(job);
  EXPECT_EQ(end.outcome, Outcome::Cancelled) << end.error;
  EXPECT_LT(read_clock().monotonic - began, 20s) << "a block is looked for half a minute otherwise";
  // The next job is not the one that was cancelled.
  Job next;
  next.type = "echo";
  next.work = encode_work({{}, {}});
  EXPECT_EQ(runner.run(next).outcome, Outcome::Completed);
}

}  // namespace
}  // namespace cidbus
