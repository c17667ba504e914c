#include "broker/frame_work.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

TEST(FrameWorkTest, CountsWhatAMessageAsksForAndNotTheMessage) {
  EXPECT_EQ(work_of(Ping{}), 2u);
  EXPECT_GE(work_of(Submit{{}, 1, std::vector<SubmitItem>(4096)}), 4096u);
  EXPECT_GE(work_of(Complete{std::vector<CompleteItem>(4096)}), 4096u);
  EXPECT_GE(work_of(Cancel{{}, std::vector<TaskId>(4096)}), 4096u);
  EXPECT_GE(work_of(Announce{false, std::vector<BlockKey>(1000), std::vector<BlockKey>(1000)}), 2000u);
  EXPECT_GE(work_of(FindContent{}), 512u);
  EXPECT_GE(work_of(TaskList{{}, std::nullopt, "", 4096, {}}), 4096u);
}

}  // namespace
}  // namespace cidbus
