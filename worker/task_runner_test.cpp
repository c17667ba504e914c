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

// Answers what it was given.
class Listener final : public Handler {
 public:
  explicit Listener(bool takes_notes) : takes_notes_(takes_notes) {}
  [[nodiscard]] std::string_view type() const override { return takes_notes_ ? "listener" : "deaf"; }
  [[nodiscard]] std::string_view summary() const override { return ""; }
  [[nodiscard]] std::span<const ParameterHelp> help() const override { return {}; }
  [[nodiscard]] int version() const override { return 1; }
  [[nodiscard]] bool deterministic() const override { return true; }
  [[nodiscard]] bool takes_notes() const override { return takes_notes_; }
  Result<HandlerOutput> run(const HandlerInput& input, Content&) const override {
    return HandlerOutput{{}, input.parameters};
  }

 private:
  const bool takes_notes_;
};

TEST(TaskRunnerTest, NotesAreForHandlersThatTakeThem) {
  SocketContext sockets;
  HandlerRegistry handlers;
  ASSERT_TRUE(handlers.add(std::make_unique<Listener>(true)));
  ASSERT_TRUE(handlers.add(std::make_unique<Listener>(false)));
  MemoryStore store(1 << 20, WhenFull::Refuse);
  SimulatedDisk disk;
  ASSERT_TRUE(disk.create_directory("data"));
  const auto pins = Pins::open(disk, "data");
  ASSERT_TRUE(pins);
  MemoryStore cache(64 << 20, WhenFull::Evict);
  TaskRunner runner(
      {sockets, {"test", "w1", Role::Worker, {1}}, {"127.0.0.1:1"}, handlers, store, **pins, cache, 1h});
  for (const std::size_t heard : {2U, 1U}) {
    Job job;
    job.type = heard == 2 ? "listener" : "deaf";
    job.work = encode_work({{}, {{"_note", "1"}, {"width", "2"}}});
    const JobEnd end = runner.run(job);
    ASSERT_EQ(end.outcome, Outcome::Completed) << end.error;
    EXPECT_EQ((*decode_result(end.result))->values.size(), heard);
  }
}

}  // namespace
}  // namespace cidbus
