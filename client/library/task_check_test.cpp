#include "client/library/task_check.h"

#include <gtest/gtest.h>

#include "shared/base/limits/tasks.h"
#include "shared/base/limits/words.h"

namespace cidbus {
namespace {

std::string why(const Status& status) { return status ? "fine" : status.error().message; }

TEST(TaskCheck, RefusesWhatNoBrokerWouldTake) {
  EXPECT_EQ(why(check_task("process_content", 0, {}, "")), "fine");
  for (const char* type : {"", "two words", "naïve"}) {
    EXPECT_NE(why(check_task(type, 0, {}, "")).find("cannot be a task type"), std::string::npos) << type;
  }
  EXPECT_EQ(why(check_task("echo", limits::inputs, {}, "")), "fine");
  EXPECT_EQ(why(check_task("echo", limits::inputs + 1, {}, "")), "a task takes at most 256 inputs");
  EXPECT_EQ(why(check_task("echo", 0, {{"a b", ""}}, "")),
            "'a b' cannot name a parameter; use A-Z a-z 0-9 . _ -");
  EXPECT_EQ(why(check_task("echo", 0, {{"a", "1"}, {"b", ""}, {"a", "2"}}, "")),
            "parameter 'a' is given twice; give it once");
  EXPECT_EQ(why(check_task("echo", 0, {}, std::string(limits::key_length, 'k'))), "fine");
  EXPECT_EQ(why(check_task("echo", 0, {}, std::string(limits::key_length + 1, 'k'))),
            "the key is too long; at most 256 bytes");
}

TEST(TaskCheck, WorkEndsAtItsBoundAndSaysWhereLargeValuesBelong) {
  const auto most = encode_task({}, {{"text", std::string(limits::payload_bytes - 1000, 'x')}});
  ASSERT_TRUE(most) << most.error().message;
  EXPECT_LE(most->size(), limits::payload_bytes);
  const auto beyond = encode_task({}, {{"text", std::string(limits::payload_bytes, 'x')}});
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().kind, FaultKind::BadUsage);
  EXPECT_NE(beyond.error().message.find("add large values as content"), std::string::npos);
}

}  // namespace
}  // namespace cidbus
