#include "broker/log_queue.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

using namespace std::chrono_literals;

class LogQueueTest : public ::testing::Test {
 protected:
  LogQueue log{Epoch{2}, {LogIndex{10}, Epoch{1}, 77}, WallTime{1000}, false};
  Now now{Monotonic(1h), WallTime{2000}};
  const Bytes payload = Bytes(100, 7);

  LogIndex append(Urgency urgency = Urgency::Now) { return log.append(now, 19, 1, payload, urgency); }
};

TEST_F(LogQueueTest, RecordsGatherWhileAWriteIsOnItsWayAndLeaveTogether) {
  EXPECT_EQ(append(), LogIndex{11});
  const auto first = log.take_writes(now);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].end.last, LogIndex{11});
  EXPECT_EQ(append(), LogIndex{12});
  EXPECT_EQ(append(), LogIndex{13});
  EXPECT_TRUE(log.take_writes(now).empty());
  log.on_persisted(LogIndex{11});
  const auto second = log.take_writes(now);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].end.last, LogIndex{13});
  const auto batch = BatchView::parse(*second[0].bytes);
  ASSERT_TRUE(batch);
  EXPECT_TRUE(batch->header().follows(first[0].end));
}

TEST_F(LogQueueTest, LazyRecordsStartNoWriteButRideWithTheNextOrGoAfterTenMilliseconds) {
  append(Urgency::Lazy);
  EXPECT_TRUE(log.take_writes(now).empty());
  EXPECT_EQ(log.deadline(), now.monotonic + 10ms);
  append(Urgency::Now);
  const auto both = log.take_writes(now);
  ASSERT_EQ(both.size(), 1u);
  EXPECT_EQ(both[0].end.last, LogIndex{12});
  log.on_persisted(LogIndex{12});
  append(Urgency::Lazy);
  now.monotonic += 10ms;
  EXPECT_EQ(log.take_writes(now).size(), 1u);
}

TEST_F(LogQueueTest, AFullBatchIsSealedAndTheNextOneBegun) {
  for (std::size_t count = 0; count < limits::batch_records + 1; ++count) append();
  const auto writes = log.take_writes(now);
  ASSERT_EQ(writes.size(), 2u);
  EXPECT_EQ(BatchView::parse(*writes[0].bytes)->header().count, limits::batch_records);
  EXPECT_EQ(BatchView::parse(*writes[1].bytes)->header().count, 1u);
}

TEST_F(LogQueueTest, NoMoreBatchesAreWithTheDiskThanItsLimit) {
  for (std::size_t count = 0; count < (limits::batches_at_disk + 5) * limits::batch_records; ++count)
    append();
  EXPECT_EQ(log.take_writes(now).size(), limits::batches_at_disk);
  log.on_persisted(LogIndex{10 + limits::batches_at_disk * limits::batch_records});
  EXPECT_EQ(log.take_writes(now).size(), 5u);
}

TEST_F(LogQueueTest, GivesOutForApplyingWhatIsCommittedOnceAndInOrder) {
  append();
  log.take_writes(now);
  log.on_persisted(LogIndex{11});
  append();
  log.take_writes(now);
  ASSERT_EQ(log.take_committed(LogIndex{11}, 100).size(), 1u);
  EXPECT_TRUE(log.take_committed(LogIndex{11}, 100).empty());
  EXPECT_EQ(log.take_committed(LogIndex{12}, 100).size(), 1u);
}

TEST_F(LogQueueTest, GivesOutNoMoreForApplyingThanATurnCanTake) {
  for (std::size_t count = 0; count < 3 * limits::batch_records; ++count) append();
  log.take_writes(now);
  const LogIndex all{10 + 3 * limits::batch_records};
  EXPECT_EQ(log.take_committed(all, limits::batch_records).size(), 1u);
  EXPECT_TRUE(log.has_committed(all));
  EXPECT_EQ(log.take_committed(all, limits::batch_records * 3 / 2).size(), 2u);
  EXPECT_FALSE(log.has_committed(all));
}

TEST_F(LogQueueTest, RecordTimesNeverDecrease) {
  append();
  now.wall = WallTime{500};  // the clock was set back
  append();
  const auto writes = log.take_writes(now);
  const auto batch = BatchView::parse(*writes[0].bytes);
  for (const RecordView& record : *batch) EXPECT_EQ(record.time, WallTime{2000});
}

TEST_F(LogQueueTest, WithDurabilityMemoryATurnIsSealedAtOnceAndTheDiskIsGivenTenMillisecondsTogether) {
  LogQueue early(Epoch{2}, {LogIndex{10}, Epoch{1}, 77}, WallTime{1000}, true);
  early.append(now, 19, 1, payload, Urgency::Now);
  EXPECT_EQ(early.take_writes(now).size(), 1u);
  for (std::uint64_t last = 12; last <= 14; ++last) {
    early.append(now, 19, 1, payload, Urgency::Now);
    EXPECT_TRUE(early.take_writes(now).empty());
    EXPECT_EQ(early.sealed_last(), LogIndex{last});
    EXPECT_EQ(early.deadline(), now.monotonic + 10ms);
  }
  now.monotonic += 10ms;
  EXPECT_EQ(early.take_writes(now).size(), 3u) << "although the first one is not persisted";
}

TEST_F(LogQueueTest, WithDurabilityMemoryNoMoreThanADiskIsHandedAtOnceWaits) {
  LogQueue early(Epoch{2}, {LogIndex{10}, Epoch{1}, 77}, WallTime{1000}, true);
  early.append(now, 19, 1, payload, Urgency::Now);
  early.take_writes(now);
  early.on_persisted(LogIndex{11});
  std::size_t handed = 0;
  for (std::size_t turn = 0; turn < limits::batches_at_disk; ++turn) {
    early.append(now, 19, 1, payload, Urgency::Now);
    handed += early.take_writes(now).size();
  }
  EXPECT_EQ(handed, limits::batches_at_disk);
}

TEST_F(LogQueueTest, CountsTheBytesThatWaitForTheDisk) {
  const auto empty = log.unsynced_bytes();
  append();
  EXPECT_GT(log.unsynced_bytes(), empty);
  log.take_writes(now);
  log.on_persisted(LogIndex{11});
  EXPECT_EQ(log.unsynced_bytes(), empty);
}

}  // namespace
}  // namespace cidbus
