#include <gtest/gtest.h>

#include <algorithm>

#include "shared/io/log_line.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;
constexpr Monotonic start{1h};

TEST(LogLine, IsLogfmtWithTheTextInQuotes) {
  const LogOptions who{"b1", "master"};
  EXPECT_EQ(log_fields(LogFormat::Logfmt, who, {}, "in \"office\"\nnow", 0),
            R"(node=b1 role=master msg="in \"office\"\nnow")");
  EXPECT_EQ(log_fields(LogFormat::Logfmt, who, {Epoch{3}, TaskId{46}, 2}, "", 7),
            R"(node=b1 role=master epoch=3 task=t1e attempt=2 msg="" repeated=7)");
}

TEST(LogLine, IsJsonThatAnyReaderTakes) {
  EXPECT_EQ(log_fields(LogFormat::Json, {"w1", "worker"}, {Epoch{3}, TaskId{46}, 2}, "a\\b\x01", 0),
            R"("node":"w1","role":"worker","epoch":3,"task":"t1e","attempt":2,"msg":"a\\b\u0001")");
}

TEST(LogLine, IsCutWhereItIsTooLong) {
  const std::string line = log_fields(LogFormat::Logfmt, {"b1"}, {}, std::string(10'000, 'x'), 0);
  EXPECT_EQ(line.size(), std::string("node=b1 msg=\"\"").size() + limits::text_length);
}

TEST(LogLine, IsNotCutWithinACharacter) {
  std::string text(limits::text_length - 1, 'x');
  for (const char* letter : {"\u00e9", "\u20ac", "\U0001f426"}) {
    const std::string line = log_fields(LogFormat::Json, {"b1"}, {}, text + letter, 0);
    EXPECT_EQ(line, "\"node\":\"b1\",\"msg\":\"" + text + "\"") << letter;
  }
  text.pop_back();
  EXPECT_NE(log_fields(LogFormat::Json, {"b1"}, {}, text + "\u00e9x", 0).find("\u00e9\""), std::string::npos);
}

TEST(LogRepeats, ALineAboutAnotherTaskOrEpochIsAnotherLine) {
  LogRepeats repeats;
  const std::string trace = "4bf92f3577b34da6";
  EXPECT_TRUE(repeats.take(start, LogLevel::Warning, "timed out", {Epoch{3}, TaskId{1}, 1, trace}));
  EXPECT_TRUE(repeats.take(start, LogLevel::Warning, "timed out", {Epoch{3}, TaskId{2}, 1, trace}));
  EXPECT_TRUE(repeats.take(start, LogLevel::Warning, "timed out", {Epoch{4}, TaskId{1}, 1, trace}));
  EXPECT_TRUE(repeats.take(start, LogLevel::Warning, "timed out", {Epoch{3}, TaskId{1}, 2, trace}));
  EXPECT_TRUE(repeats.take(start, LogLevel::Warning, "timed out", {Epoch{3}, TaskId{1}, 1, {}}));
  EXPECT_FALSE(repeats.take(start, LogLevel::Warning, "timed out", {Epoch{3}, TaskId{1}, 1, trace}));
  const auto due = repeats.take_due(start + limits::log_repeat_window);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].fields().task, TaskId{1});
  EXPECT_EQ(due[0].fields().trace, trace);
}

TEST(LogRepeats, TheSameLineIsWrittenOnceInAWindowAndThenHowOftenItCame) {
  LogRepeats repeats;
  EXPECT_TRUE(repeats.take(start, LogLevel::Warning, "slow"));
  EXPECT_FALSE(repeats.take(start + 1s, LogLevel::Warning, "slow"));
  EXPECT_FALSE(repeats.take(start + 2s, LogLevel::Warning, "slow"));
  EXPECT_TRUE(repeats.take(start + 2s, LogLevel::Error, "slow")) << "of another level";
  EXPECT_TRUE(repeats.take(start + 2s, LogLevel::Warning, "other"));
  EXPECT_TRUE(repeats.take_due(start + limits::log_repeat_window - 1ms).empty());
  const auto due = repeats.take_due(start + limits::log_repeat_window);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].line, "slow");
  EXPECT_EQ(due[0].times, 2U);
  EXPECT_TRUE(repeats.take(start + limits::log_repeat_window, LogLevel::Warning, "slow"));
}

TEST(LogRepeats, AtTheBoundTheOldestIsToldBeforeItsTime) {
  LogRepeats repeats;
  repeats.take(start, LogLevel::Info, "first");
  repeats.take(start, LogLevel::Info, "first");
  for (std::size_t line = 0; line < limits::log_lines_remembered; ++line)
    EXPECT_TRUE(repeats.take(start, LogLevel::Info, std::to_string(line)));
  const auto due = repeats.take_due(start);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].line, "first");
}

TEST(StderrLog, WhatWasLeftOutIsToldAtTheEndAndWhatItWasAbout) {
  testing::internal::CaptureStderr();
  {
    const auto log = make_stderr_log("b1", LogLevel::Info);
    for (int time = 0; time < 3; ++time) log->info("slow", {Epoch{3}, TaskId{46}, 2});
  }
  const std::string told = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 2) << told;
  EXPECT_NE(told.find("epoch=3 task=t1e attempt=2 msg=\"slow\" repeated=2\n"), std::string::npos) << told;
}

}  // namespace
}  // namespace cidbus
