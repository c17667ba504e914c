#include "broker/gathering.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

using namespace std::chrono_literals;

class GatheringTest : public ::testing::Test {
 protected:
  Gathering gathering{Epoch{2}, {LogIndex{10}, Epoch{1}, 77}, WallTime{1000}};
  Now now{Monotonic(1h), WallTime{2000}};
  const Bytes payload = Bytes(100, 7);

  LogIndex append(Urgency urgency = Urgency::Now) { return gathering.append(now, 19, 1, payload, urgency); }
};

TEST_F(GatheringTest, WhatGathersLeavesTogetherAndContinuesTheChain) {
  EXPECT_EQ(append(), LogIndex{11});
  EXPECT_TRUE(gathering.due(now.monotonic));
  const auto first = gathering.take();
  ASSERT_EQ(first.size(), 1u);
  EXPECT_FALSE(gathering.due(now.monotonic));
  EXPECT_EQ(append(), LogIndex{12});
  EXPECT_EQ(append(), LogIndex{13});
  const auto second = gathering.take();
  ASSERT_EQ(second.size(), 1u);
  const auto batch = BatchView::parse(*second[0]);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->header().last(), LogIndex{13});
  EXPECT_TRUE(batch->header().follows(BatchView::parse(*first[0])->header().end()));
}

TEST_F(GatheringTest, LazyRecordsRideWithTheNextBatchOrGoAfterTenMilliseconds) {
  append(Urgency::Lazy);
  EXPECT_FALSE(gathering.due(now.monotonic));
  EXPECT_EQ(gathering.deadline(), now.monotonic + 10ms);
  append(Urgency::Now);
  EXPECT_TRUE(gathering.due(now.monotonic));
  EXPECT_EQ(BatchView::parse(*gathering.take()[0])->header().count, 2u);
  append(Urgency::Lazy);
  EXPECT_TRUE(gathering.due(now.monotonic + 10ms));
}

TEST_F(GatheringTest, AFullBatchIsSealedAndTheNextOneBegun) {
  for (std::size_t count = 0; count < limits::batch_records + 1; ++count) append();
  EXPECT_GT(gathering.bytes(), (limits::batch_records + 1) * payload.size());
  const auto batches = gathering.take();
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_EQ(BatchView::parse(*batches[0])->header().count, limits::batch_records);
  EXPECT_EQ(BatchView::parse(*batches[1])->header().count, 1u);
  EXPECT_EQ(gathering.deadline(), std::nullopt);
}

TEST_F(GatheringTest, AClockThatGoesBackDoesNotTakeTheRecordsAlong) {
  append();
  now.wall = WallTime{500};
  append();
  std::vector<WallTime> times;
  const auto batches = gathering.take();
  const auto batch = BatchView::parse(*batches[0]);
  for (const RecordView& record : *batch) times.push_back(record.time);
  EXPECT_EQ(times, (std::vector{WallTime{2000}, WallTime{2000}}));
}

}  // namespace
}  // namespace cidbus
