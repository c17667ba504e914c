#include "client/command/output.h"

#include <gtest/gtest.h>

#include "client/command/progress_bar.h"
#include "client/command/task_record.h"
#include "client/testing/memory_sink.h"
#include "shared/content/cid.h"
#include "shared/wire/work.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;

class OutputTest : public ::testing::Test {
 protected:
  std::string printed(Format format, const std::function<void(Output&)>& print) {
    out.text.clear();
    Output output(environment, format);
    print(output);
    EXPECT_TRUE(output.flush());
    return out.text;
  }
  MemorySink out, err;
  Environment environment{out, err};
};

class TaskOutput : public OutputTest {
 protected:
  TaskOutput() {
    const Cid cid = *Cid::parse("bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy");
    work = encode_work({{cid.bytes()}, {{"transform", "resize"}}});
    result = encode_result({{cid.bytes()}, {{"width", "320"}, {"note", "a \"quoted\" word"}}});
    info.task = {42};
    info.type = "process_content";
    info.state = TaskState::Completed;
    info.attempts = 2;
    info.work = work;
    info.result = result;
    info.error = "first try: worker lost";
    info.submitted_at = {1'700'000'000'042};
    info.started_at = {1'700'000'000'100};
    info.finished_at = {1'700'000'001'000};
    info.worker = "w1";
    info.key = "k";
  }
  Bytes work, result;
  TaskInfo info;
};

// docs/command.md promises this, to the byte.
TEST_F(TaskOutput, ACompletedTaskInJson) {
  EXPECT_EQ(to_json(make_task_record(info)),
            R"({"id":"t1a","type":"process_content","state":"completed","attempts":2,)"
            R"("inputs":["bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"],)"
            R"("result":{"cids":["bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"],)"
            R"("values":{"width":"320","note":"a \"quoted\" word"}},)"
            R"("error":"first try: worker lost","submitted_at":"2023-11-14T22:13:20.042Z",)"
            R"("started_at":"2023-11-14T22:13:20.100Z","finished_at":"2023-11-14T22:13:21.000Z",)"
            R"("worker":"w1","memo":false,"key":"k","fair_key":null,"traceparent":null})");
}

TEST_F(TaskOutput, APendingTaskInJsonHasNullForWhatIsNotYet) {
  TaskInfo pending;
  pending.task = {1};
  pending.type = "echo";
  pending.submitted_at = {1'700'000'000'042};
  EXPECT_EQ(
      to_json(make_task_record(pending)),
      R"({"id":"t1","type":"echo","state":"pending","attempts":0,"inputs":[],"result":null,"error":null,)"
      R"("submitted_at":"2023-11-14T22:13:20.042Z","started_at":null,"finished_at":null,"worker":null,)"
      R"("memo":false,"key":null,"fair_key":null,"traceparent":null})");
}

TEST_F(TaskOutput, AnInputThatIsNoCidAndBytesThatAreNoWorkDoNoHarm) {
  const Bytes odd = encode_work({{as_bytes("not a \xff CID")}, {}});
  info.work = odd;
  EXPECT_EQ(make_task_record(info).inputs, std::vector<std::string>{"not a \xff CID"});
  const Bytes rubbish(77, 0xee);
  info.work = rubbish;
  info.result = rubbish;
  const TaskRecord record = make_task_record(info);
  EXPECT_TRUE(record.inputs.empty());
  EXPECT_TRUE(record.cids.empty());
}

TEST_F(TaskOutput, DetailsAreARowAField) {
  info.error = "";
  const std::string text =
      printed(Format::Table, [&](Output& output) { print_details(output, make_task_record(info)); });
  EXPECT_EQ(text,
            "task       t1a\n"
            "type       process_content\n"
            "state      completed\n"
            "attempts   2\n"
            "worker     w1\n"
            "input      bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy\n"
            "result     bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy\n"
            "width      320\n"
            "note       a \"quoted\" word\n"
            "key        k\n"
            "submitted  2023-11-14T22:13:20.042Z\n"
            "started    2023-11-14T22:13:20.100Z\n"
            "finished   2023-11-14T22:13:21.000Z\n");
}

TEST_F(TaskOutput, FailuresSayHowTheTaskEnded) {
  info.state = TaskState::Failed;
  EXPECT_EQ(failure_of(make_task_record(info)), "task t1a failed: first try: worker lost");
  info.error = "";
  info.state = TaskState::Cancelled;
  EXPECT_EQ(failure_of(make_task_record(info)), "task t1a was cancelled");
  info.state = TaskState::Timeout;
  EXPECT_EQ(failure_of(make_task_record(info)), "task t1a passed its deadline");
}

TEST_F(OutputTest, AListIsAnArrayInJsonAndLinesInNdjson) {
  const auto list = [](Output& output) {
    output.open_list();
    output.item("1");
    output.item("2");
    output.close_list();
  };
  EXPECT_EQ(printed(Format::Json, list), "[1,\n2]\n");
  EXPECT_EQ(printed(Format::Ndjson, list), "1\n2\n");
  const auto empty = [](Output& output) {
    output.open_list();
    output.close_list();
  };
  EXPECT_EQ(printed(Format::Json, empty), "[]\n");
  EXPECT_EQ(printed(Format::Ndjson, empty), "");
}

TEST_F(OutputTest, ColoursAreForTerminalsThatAllowThem) {
  Output plain(environment, Format::Table);
  EXPECT_EQ(plain.painted(TaskState::Failed), "failed");
  environment.colour = true;
  EXPECT_EQ(plain.painted(TaskState::Failed), "\x1b[31mfailed\x1b[0m");
}

TEST_F(OutputTest, ColumnsLineUpWhateverIsColouredOrNotAscii) {
  environment.colour = true;
  const std::string text = printed(Format::Table, [](Output& output) {
    output.table({{output.heading("A"), "B"}, {"grüße", "1"}, {output.painted(TaskState::Failed), "2"}});
  });
  EXPECT_EQ(text, "\x1b[1mA\x1b[0m       B\ngrüße   1\n\x1b[31mfailed\x1b[0m  2\n");
}

TEST_F(OutputTest, AWriteThatFailsIsToldByFlush) {
  out.room = 10;
  Output output(environment, Format::Table);
  for (int line = 0; line < 10'000; ++line) output.line("twenty bytes or more, this is");
  const Status flushed = output.flush();
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().kind, FaultKind::TryAgain);
  EXPECT_FALSE(output.flush());
}

TEST_F(OutputTest, AComplaintIsOneLineWhateverIsInIt) {
  report(environment, "what:\nwhy\x1b[2J");
  EXPECT_EQ(err.text, "cidbus: what:\\x0awhy\\x1b[2J\n");
}

TEST(ProgressLine, ShowsWhatIsDoneWithinTheWidth) {
  EXPECT_EQ(progress_line("adding", 512, 1024, 0s, 80),
            "adding  [===============>              ]  50 %  512 B of 1.0 KiB");
  EXPECT_EQ(progress_line("adding", 1024, 1024, 1s, 80),
            "adding  [==============================]  100 %  1.0 KiB of 1.0 KiB  1.0 KiB/s");
  EXPECT_EQ(progress_line("fetching", 2048, 0, 2s, 80), "fetching  2.0 KiB  1.0 KiB/s");
  for (std::uint32_t columns = 0; columns < 100; ++columns)
    EXPECT_LE(progress_line("adding", 512, 1024, 1s, columns).size(), columns);
}

TEST_F(OutputTest, AProgressBarIsDrawnOnATerminalOnlyAtMostTenTimesASecondAndCleared) {
  const Monotonic start{1h};
  {
    ProgressBar progress(environment, "adding", start);
    progress.show(start + 1s, 1, 2);
  }
  EXPECT_EQ(err.text, "");
  environment.err_is_terminal = true;
  {
    ProgressBar progress(environment, "adding", start);
    progress.show(start + 50ms, 1, 4);
    EXPECT_EQ(err.text, "");
    progress.show(start + 100ms, 2, 4);
    const std::string first = err.text;
    EXPECT_NE(first.find("50 %"), std::string::npos);
    progress.show(start + 150ms, 3, 4);
    EXPECT_EQ(err.text, first);
  }
  EXPECT_TRUE(err.text.ends_with("\r\x1b[K"));
}

}  // namespace
}  // namespace cidbus
