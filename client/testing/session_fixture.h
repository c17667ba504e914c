// For tests: a session core with a clock to turn by hand, what brokers tell it, and a transcript of what it
// does.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string_view>
#include <vector>

#include "client/testing/session_transcript.h"

namespace cidbus {

class Session : public ::testing::Test {
 protected:
  explicit Session(SessionSettings settings = {}) : core(session_of(1), settings, out) {}
  ~Session() override { out.expect_nothing_else(); }

  Ticket submit(std::string_view work, std::string_view key = {}) {
    TaskOptions options;
    options.key = key;
    return core.submit("echo", options, as_bytes(work));
  }
  void bind(std::uint32_t credit = 100) { core.on_bound(now, credit); }
  void tick() { deadline = core.tick(now); }
  void after(Duration wait) { now += wait; }
  // A session opens with its first submission alone; here it is "first", task t9 and done.
  void open() {
    submit("first");
    bind();
    tick();
    out.expect("-> submit s1 low 1 1:echo/first");
    accept(1, {{1, {9}, false}});
    out.expect("accepted 1 as t9");
    results(1, {result(1, 1, {9})});
    out.expect("result 1 completed done");
    tick_acknowledging();
    out.expect("-> ack s1 1");
  }
  // Nothing is submitted meanwhile, so the acknowledgement leaves when its time has come.
  void tick_acknowledging() {
    tick();
    out.expect_nothing_else();
    EXPECT_EQ(deadline, now + std::chrono::milliseconds(10));
    now = deadline;
    tick();
  }
  void accept(std::uint8_t session, std::vector<AcceptedItem> items) {
    EXPECT_TRUE(core.on_message(now, Accepted{session_of(session), Durability::Disk, std::move(items)}));
  }
  void reject(std::uint64_t seq, Refusal why,
              std::chrono::milliseconds retry_after = std::chrono::milliseconds(0)) {
    EXPECT_TRUE(core.on_message(now, Rejected{session_of(1), {{seq, why, "because", retry_after}}}));
  }
  static TaskInfo completed(TaskId task, std::string_view result = "done") {
    TaskInfo info;
    info.task = task;
    info.state = TaskState::Completed;
    info.result = as_bytes(result);
    return info;
  }
  static ResultItem result(std::uint64_t rseq, std::uint64_t seq, TaskId task) {
    return {rseq, seq, completed(task)};
  }
  void results(std::uint8_t session, std::vector<ResultItem> items) {
    EXPECT_TRUE(core.on_message(now, Results{session_of(session), std::move(items)}));
  }
  void expire() {
    EXPECT_TRUE(core.on_message(
        now, Refused{Refusal::SessionExpired, "session expired", std::chrono::milliseconds(0)}));
  }

  Transcript out;
  SessionCore core;
  Monotonic now{std::chrono::hours(5)};
  Monotonic deadline = Monotonic::max();
};

}  // namespace cidbus
