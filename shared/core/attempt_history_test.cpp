#include "shared/core/attempt_history.h"

#include <gtest/gtest.h>

#include "shared/base/limits/tasks.h"
#include "shared/base/limits/words.h"

namespace cidbus {
namespace {

TEST(AttemptLog, KeepsTheEndsWithinItsBound) {
  const std::string flood(20'000, 'x');
  const Bytes bytes = encode_log({"exited with 3", flood + "out", flood + "err"});
  EXPECT_LE(bytes.size(), limits::log_bytes);
  const auto log = decode_log(bytes);
  ASSERT_TRUE(log);
  EXPECT_EQ(log->ended, "exited with 3");
  EXPECT_TRUE(log->output.ends_with("xout"));
  EXPECT_TRUE(log->errors.ends_with("xerr"));
  EXPECT_GE(log->errors.size(), 4000U);
}

TEST(AttemptLog, IsNothingWhenThereIsNothingToSay) {
  EXPECT_TRUE(encode_log({}).empty());
  EXPECT_EQ(decode_log({})->output, "");
  const Bytes cut{3, 0, 0, 0, 'a'};
  EXPECT_FALSE(decode_log(cut));
}

TEST(AttemptHistory, KeepsTheLastAttempts) {
  Bytes history;
  const Bytes log = encode_log({"exited with 75", "out", ""});
  for (std::uint32_t attempt = 1; attempt <= 10; ++attempt) {
    history = add_attempt(history, {attempt, {10 * attempt}, {10 * attempt + 5}, "retry", "w1", "busy", log});
  }
  const auto attempts = decode_history(history);
  ASSERT_TRUE(attempts);
  ASSERT_EQ(attempts->size(), limits::attempts_logged);
  EXPECT_EQ(attempts->front().attempt, 7U);
  const PastAttempt& last = attempts->back();
  EXPECT_EQ(last.attempt, 10U);
  EXPECT_EQ(last.started.milliseconds, 100);
  EXPECT_EQ(last.ended.milliseconds, 105);
  EXPECT_EQ(last.how, "retry");
  EXPECT_EQ(last.worker, "w1");
  EXPECT_EQ(last.error, "busy");
  EXPECT_EQ(decode_log(last.log)->ended, "exited with 75");
}

TEST(AttemptHistory, StaysWithinItsBoundAndRefusesWhatIsCut) {
  Bytes history;
  const std::string error(limits::text_length, 'e');
  const Bytes log = encode_log({"x", std::string(9000, 'o'), std::string(9000, 'e')});
  for (std::uint32_t attempt = 1; attempt <= 6; ++attempt)
    history = add_attempt(history, {attempt, {1}, {2}, "lease expired", std::string(64, 'w'), error, log});
  EXPECT_LE(history.size(), limits::history_bytes);
  ASSERT_TRUE(decode_history(history));
  history.pop_back();
  EXPECT_FALSE(decode_history(history));
}

}  // namespace
}  // namespace cidbus
