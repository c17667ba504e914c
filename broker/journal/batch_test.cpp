#include "broker/journal/batch.h"

#include <gtest/gtest.h>

#include "broker/journal/batch_builder.h"
#include "shared/base/prng.h"

namespace cidbus {
namespace {

Bytes copy(const BatchBytes& batch) { return *batch; }

BatchBytes small_batch() {
  BatchBuilder builder(Epoch{3}, {{41}, {2}, 0xabcd});
  builder.append(1, 1, WallTime{1000}, as_bytes("first"));
  builder.append(7, 2, WallTime{1001}, {});
  builder.append(255, 255, WallTime{-5}, as_bytes("third"));
  return builder.seal();
}

TEST(Batch, GivesBackEveryRecordWithItsIndexTypeVersionAndTime) {
  const BatchBytes bytes = small_batch();
  const auto batch = BatchView::parse(*bytes);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->header().epoch, Epoch{3});
  EXPECT_EQ(batch->header().first, LogIndex{42});
  EXPECT_EQ(batch->header().last(), LogIndex{44});
  EXPECT_EQ(batch->header().previous, 0xabcdU);
  EXPECT_TRUE(batch->header().follows({{41}, {2}, 0xabcd}));
  std::vector<RecordView> records;
  for (const RecordView& record : *batch) records.push_back(record);
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].index, LogIndex{42});
  EXPECT_EQ(as_text(records[0].payload), "first");
  EXPECT_EQ(records[1].type, 7);
  EXPECT_EQ(records[1].version, 2);
  EXPECT_TRUE(records[1].payload.empty());
  EXPECT_EQ(records[2].index, LogIndex{44});
  EXPECT_EQ(records[2].time, WallTime{-5});
  EXPECT_EQ(as_text(records[2].payload), "third");
}

TEST(Batch, FollowsOnlyTheChainEndItWasMadeFor) {
  const auto batch = BatchView::parse(*small_batch())->header();
  EXPECT_FALSE(batch.follows({{40}, {2}, 0xabcd}));
  EXPECT_FALSE(batch.follows({{41}, {2}, 0xabce}));
  EXPECT_FALSE(batch.follows({{41}, {4}, 0xabcd}));
}

TEST(Batch, EveryFlippedBitAndEveryTruncationIsFound) {
  const Bytes good = copy(small_batch());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(BatchView::parse(bad)) << bit;
  }
  for (std::size_t length = 0; length < good.size(); ++length)
    EXPECT_FALSE(BatchView::parse(ByteView(good).first(length))) << length;
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_FALSE(BatchView::parse(longer));
}

// A hostile sender can make a right checksum over wrong lengths.
TEST(Batch, RecordLengthsThatDoNotAddUpAreRefusedUnderARightChecksum) {
  Prng prng(5);
  const Bytes good = copy(small_batch());
  const auto sealed_again = [](Bytes bytes) {
    const std::uint32_t crc = crc32c(ByteView(bytes).subspan(4));
    std::memcpy(bytes.data(), &crc, 4);
    return bytes;
  };
  for (const std::size_t at : {8U, 12U, 40U, 60U}) {  // length, count, and two record lengths
    for (int k = 0; k < 1000; ++k) {
      Bytes bad = good;
      const auto value = static_cast<std::uint32_t>(prng.chance(1, 2) ? prng() : prng.below(300));
      if (std::memcmp(bad.data() + at, &value, 4) == 0) continue;
      std::memcpy(bad.data() + at, &value, 4);
      const auto batch = BatchView::parse(sealed_again(bad));
      if (batch) {
        for (const RecordView& record : *batch) EXPECT_LE(record.payload.size(), good.size());
      }
      EXPECT_FALSE(batch && at < 40) << at << ' ' << value;
    }
  }
}

TEST(Batch, RandomBytesAreNoBatchAndNeverReadPastTheirEnd) {
  Prng prng(6);
  for (int k = 0; k < 20'000; ++k) {
    Bytes bytes(prng.below(200));
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(prng());
    if (bytes.size() >= 8) std::memcpy(bytes.data() + 4, &batch_magic, 4);
    EXPECT_FALSE(BatchView::parse(bytes));
  }
}

TEST(BatchBuilder, SealsBatchesThatFollowOneAnother) {
  BatchBuilder builder(Epoch{1}, {});
  ChainEnd end;
  for (std::uint64_t k = 1; k <= 10; ++k) {
    EXPECT_EQ(builder.append(1, 1, WallTime{}, as_bytes("x")), LogIndex{2 * k - 1});
    EXPECT_EQ(builder.append(1, 1, WallTime{}, as_bytes("y")), LogIndex{2 * k});
    const BatchBytes bytes = builder.seal();
    const auto batch = BatchView::parse(*bytes);
    ASSERT_TRUE(batch);
    EXPECT_TRUE(batch->header().follows(end));
    end = batch->header().end();
    EXPECT_EQ(builder.before(), end);
    EXPECT_TRUE(builder.empty());
  }
  EXPECT_EQ(end.last, LogIndex{20});
}

TEST(BatchBuilder, HoldsOneRecordOfTheLargestPayloadAndNotOneByteMore) {
  BatchBuilder builder(Epoch{1}, {});
  const Bytes payload(record_payload_bytes, 9);
  EXPECT_FALSE(builder.has_room(payload.size() + 1));
  ASSERT_TRUE(builder.has_room(payload.size()));
  builder.append(1, 1, WallTime{}, payload);
  EXPECT_FALSE(builder.has_room(0));
  const BatchBytes bytes = builder.seal();
  EXPECT_EQ(bytes->size(), limits::batch_bytes);
  EXPECT_TRUE(equal(BatchView::parse(*bytes)->begin()->payload, payload));
  EXPECT_TRUE(builder.has_room(payload.size()));
}

TEST(BatchBuilder, HoldsTheLargestCountOfRecordsAndNotOneMore) {
  BatchBuilder builder(Epoch{1}, {});
  while (builder.has_room(0)) builder.append(1, 1, WallTime{}, {});
  EXPECT_EQ(builder.count(), limits::batch_records);
  EXPECT_TRUE(BatchView::parse(*builder.seal()));
}

TEST(BatchBuilderDeathTest, RefusesWhatDoesNotFit) {
  BatchBuilder builder(Epoch{1}, {});
  EXPECT_DEATH(builder.append(1, 1, WallTime{}, Bytes(record_payload_bytes + 1)), "has_room");
  EXPECT_DEATH(builder.append(0, 1, WallTime{}, {}), "type");
  EXPECT_DEATH(builder.seal(), "count_");
  EXPECT_DEATH(BatchBuilder(Epoch{1}, {{1}, {2}, 0}), "epoch");
}

}  // namespace
}  // namespace cidbus
