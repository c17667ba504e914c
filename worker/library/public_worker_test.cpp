#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>

#include "cidbus/worker.h"
#include "client/library/public_values.h"
#include "shared/base/limits/programs.h"
#include "worker/handlers/map_content.h"
#include "worker/library/handler_adapter.h"

namespace cidbus::v1 {
namespace {

using namespace std::chrono_literals;

HandlerBench bench_of(Worker::Function run) { return {adapt_handler({.name = "own"}, std::move(run))}; }

TEST(PublicHandler, SeesWhatTheTaskGivesAndAnswersCidsAndValues) {
  HandlerBench bench = bench_of([](TaskRun& run) -> Result<TaskResult> {
    const Cid input = run.only_input().value();
    EXPECT_EQ(run.inputs(), std::vector{input});
    EXPECT_EQ(run.parameters(), (NamedTexts{{"b", "2"}, {"a", "1"}}));
    EXPECT_EQ(run.parameter("a"), "1");
    EXPECT_EQ(run.parameter("c"), std::nullopt);
    std::string pieces;
    const Status read = run.read(input, [&](std::string_view bytes) -> Status {
      pieces.append(bytes);
      return {};
    });
    EXPECT_TRUE(read);
    EXPECT_EQ(run.read(input).value(), pieces);
    run.set_progress(0.25);
    return TaskResult{.cids = {run.write(pieces + "!").value()}, .values = {{"bytes", "6"}}};
  });
  const cidbus::Cid input = bench.content.add("hello");
  const auto output = bench.run({input}, {{"b", "2"}, {"a", "1"}});
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(as_text(bench.content.at(output->cids.at(0))), "hello!");
  EXPECT_EQ(output->values, (NamedTexts{{"bytes", "6"}}));
  EXPECT_EQ(bench.progress.permille(), 250u);
}

TEST(PublicHandler, WritesAFilePieceByPiece) {
  HandlerBench bench = bench_of([](TaskRun& run) -> Result<TaskResult> {
    int left = 3000;
    const auto count_down = [&](char* buffer, std::size_t size) -> Result<std::size_t> {
      std::size_t filled = 0;
      for (; filled < size && left > 0; ++filled, --left) buffer[filled] = static_cast<char>('a' + left % 26);
      return filled;
    };
    const Cid cid = run.write(count_down).value();
    EXPECT_EQ(run.read(cid).value().size(), 3000u);
    const auto torn = run.write([](char*, std::size_t) -> Result<std::size_t> {
      return Fault{FaultKind::Failed, "the tape is torn"};
    });
    return torn.error();
  });
  EXPECT_EQ(bench.refusal({}, {}, cidbus::FaultKind::Failed), "the tape is torn");
}

TEST(PublicHandler, IsToldWhatWentWrongWithContent) {
  HandlerBench bench = bench_of([](TaskRun& run) -> Result<TaskResult> {
    EXPECT_EQ(run.only_input().error().kind, FaultKind::BadUsage);
    EXPECT_EQ(run.read(run.inputs().at(0), 4).error().kind, FaultKind::BadData);
    EXPECT_EQ(run.read(run.inputs().at(1)).error().kind, FaultKind::NotFound);
    const Status stopped = run.read(run.inputs().at(0), [](std::string_view) -> Status {
      return Fault{FaultKind::TryAgain, "enough"};
    });
    EXPECT_EQ(stopped.error().message, "enough");
    return run.write("no room").error();
  });
  const cidbus::Cid there = bench.content.add("hello");
  const cidbus::Cid nowhere =
      to_internal(Cid::parse("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku").value());
  bench.content.write_fault = cidbus::Fault{cidbus::FaultKind::TryAgain, "the disk is full"};
  EXPECT_EQ(bench.refusal({there, nowhere}, {}, cidbus::FaultKind::TryAgain), "the disk is full");
}

TEST(PublicHandler, AnExceptionFailsTheTaskAndGoesNoFurther) {
  const auto why = [](FaultKind kind, Worker::Function run) {
    return bench_of(std::move(run)).refusal({}, {}, static_cast<cidbus::FaultKind>(kind));
  };
  using Answer = Result<TaskResult>;
  EXPECT_EQ(why(FaultKind::Failed, [](TaskRun&) -> Answer { throw std::runtime_error("no such colour"); }),
            "own: no such colour");
  EXPECT_EQ(why(FaultKind::TryAgain, [](TaskRun&) -> Answer { throw std::bad_alloc(); }),
            "own: out of memory");
  EXPECT_EQ(why(FaultKind::Failed, [](TaskRun&) -> Answer { throw 7; }),
            "own: an exception that is no std::exception");
}

TEST(PublicHandler, SeesThatItIsToStop) {
  HandlerBench bench = bench_of([](TaskRun& run) -> Result<TaskResult> {
    EXPECT_TRUE(run.cancelled());
    EXPECT_TRUE(run.sleep(1h));
    return Fault{FaultKind::TryAgain, "stopped"};
  });
  bench.cancelled.cancel();
  EXPECT_EQ(bench.refusal({}, {}, cidbus::FaultKind::TryAgain), "stopped");
}

TEST(PublicHandler, LeavesTheEndOfWhatItLogs) {
  HandlerBench bench = bench_of([](TaskRun& run) -> Result<TaskResult> {
    run.log("first");
    run.log("second\n");
    run.log("");
    return Fault{FaultKind::Failed, "no"};
  });
  bench.refusal({}, {}, cidbus::FaultKind::Failed);
  EXPECT_EQ(bench.log.output, "first\nsecond\n\n");

  HandlerBench talker = bench_of([](TaskRun& run) -> Result<TaskResult> {
    run.log(std::string(1 << 20, 'x'));
    for (int line = 0; line < 10'000; ++line) run.log("line " + std::to_string(line));
    return TaskResult{};
  });
  ASSERT_TRUE(talker.run({}, {}));
  EXPECT_TRUE(talker.log.output.ends_with("line 9998\nline 9999\n"));
  EXPECT_GE(talker.log.output.size(), limits::log_tail_bytes);
  EXPECT_LE(talker.log.output.size(), 2 * limits::log_tail_bytes);
}

TEST(PublicHandler, SaysOfItselfWhatItsTypeSays) {
  const auto handler = adapt_handler(
      {.name = "own", .version = 3, .deterministic = true, .strict = true, .summary = "does"}, {});
  EXPECT_EQ(handler->type(), "own");
  EXPECT_EQ(handler->version(), 3);
  EXPECT_TRUE(handler->deterministic());
  EXPECT_TRUE(handler->strict());
  EXPECT_EQ(handler->summary(), "does");
}

class PublicWorker : public ::testing::Test {
 protected:
  ~PublicWorker() override { std::filesystem::remove_all(folder); }
  WorkerOptions options() {
    return {
        .name = "w1", .brokers = {"127.0.0.1:1"}, .data = folder, .log = [](LogLevel, std::string_view) {}};
  }
  std::string folder =
      std::filesystem::temp_directory_path() / ("cidbus-public-worker-" + std::to_string(getpid()));
};

const Worker::Function nothing = [](TaskRun&) -> Result<TaskResult> { return TaskResult{}; };

TEST_F(PublicWorker, StartsAndStopsWithoutABrokerAsOftenAsAsked) {
  Worker worker(options());
  ASSERT_TRUE(worker.add({.name = "own"}, nothing));
  for (int time = 0; time < 2; ++time) {
    ASSERT_TRUE(worker.start());
    EXPECT_NE(worker.exchange_address().find("127.0.0.1:"), std::string::npos);
    EXPECT_EQ(worker.start().error().kind, FaultKind::BadUsage);
    EXPECT_EQ(worker.add({.name = "late"}, nothing).error().kind, FaultKind::BadUsage);
    EXPECT_TRUE(worker.stop());
    EXPECT_TRUE(worker.stop());
  }
  ASSERT_TRUE(worker.start());  // and is destroyed while it runs
}

TEST_F(PublicWorker, TwoCannotHaveOneFolder) {
  Worker first(options());
  ASSERT_TRUE(first.start());
  EXPECT_EQ(Worker(options()).start().error().kind, FaultKind::TryAgain);
}

TEST_F(PublicWorker, SaysWhatIsWrongWithOptionsAndTypes) {
  const auto why = [&](void (*change)(WorkerOptions&)) {
    WorkerOptions changed = options();
    change(changed);
    const Status started = Worker(changed).start();
    return started ? "it started" : started.error().message;
  };
  EXPECT_NE(why([](WorkerOptions& o) { o.name = "two words"; }).find("cannot name a worker"),
            std::string::npos);
  EXPECT_NE(why([](WorkerOptions& o) { o.cluster = ""; }).find("cannot name a cluster"), std::string::npos);
  EXPECT_NE(why([](WorkerOptions& o) { o.data = ""; }).find("WorkerOptions::data"), std::string::npos);
  EXPECT_NE(why([](WorkerOptions& o) { o.slots = 0; }).find("1 to 1000 slots"), std::string::npos);
  EXPECT_NE(why([](WorkerOptions& o) { o.brokers = {"nowhere"}; }).find("'nowhere'"), std::string::npos);
  EXPECT_NE(why([](WorkerOptions& o) { o.exchange = "nowhere"; }).find("nowhere"), std::string::npos);
  WorkerOptions with_standard = options();
  with_standard.standard_types = true;
  Worker worker(with_standard);
  EXPECT_EQ(worker.add({.name = "echo"}, nothing).error().kind, FaultKind::BadUsage);
  EXPECT_EQ(worker.add({.name = "two words"}, nothing).error().kind, FaultKind::BadUsage);
}

}  // namespace
}  // namespace cidbus::v1
