#include "broker/journal/disk_reader.h"

#include <gtest/gtest.h>

#include "tests/support/disk_rig.h"

namespace cidbus {
namespace {

using namespace journal_test;
using Stopped = BatchesRead::Stopped;

std::vector<Bytes> bytes_of(const BatchesRead& read) { return journal_test::bytes_of(read.batches); }

class DiskReaderTest : public testing::Test {
 protected:
  DiskReaderTest() : rig_(files_), all_(make_batches({}, 40, 300)) {
    rig_.write(all_);
    rig_.run();
    rig_.told().clear();
  }
  BatchesRead read(LogIndex from, ByteCount most, unsigned reader = 0) {
    rig_.disk().submit(ReadBatches{reader, from, most});
    rig_.run();
    return rig_.expect<BatchesRead>();
  }
  [[nodiscard]] std::vector<Bytes> from(std::size_t place) const {
    return journal_test::bytes_of({all_.begin() + static_cast<std::ptrdiff_t>(place), all_.end()});
  }

  SimulatedDisk files_;
  Rig rig_;
  std::vector<BatchBytes> all_;
};

TEST_F(DiskReaderTest, PieceByPieceTheWholeJournalIsReadInOrder) {
  std::vector<Bytes> found;
  LogIndex next{1};
  while (true) {
    const BatchesRead piece = read(next, 2000);
    EXPECT_EQ(piece.from, next);
    for (const BatchBytes& batch : piece.batches) {
      next = cidbus::next(end_of(batch).last);
      found.push_back(*batch);
    }
    if (piece.stopped == Stopped::AtEnd) break;
    ASSERT_EQ(piece.stopped, Stopped::AtMost);
    ASSERT_FALSE(piece.batches.empty());
    EXPECT_LE(piece.batches.size(), 6U);
  }
  EXPECT_EQ(found, from(0));
  rig_.expect_nothing_else();
}

TEST_F(DiskReaderTest, APieceHoldsNoMoreBatchesThanAMessageMay) {
  ASSERT_GT(all_.size(), limits::append_batches);
  const BatchesRead piece = read(LogIndex{1}, 1 << 20);
  EXPECT_EQ(piece.batches.size(), limits::append_batches);
  EXPECT_EQ(piece.stopped, Stopped::AtMost);
}

TEST_F(DiskReaderTest, WhoAsksForMoreBatchesGetsThem) {
  rig_.disk().submit(ReadBatches{0, LogIndex{1}, 1 << 20, all_.size() - 1});
  rig_.run();
  EXPECT_EQ(rig_.expect<BatchesRead>().batches.size(), all_.size() - 1);
}

TEST_F(DiskReaderTest, AReadWithinABatchBeginsWithThatBatchAndTwoReadersDoNotDisturbEachOther) {
  const LogIndex within = end_of(all_[4]).last;
  EXPECT_EQ(*read(within, 1, 0).batches.front(), *all_[4]);
  EXPECT_EQ(*read(within, 1, 1).batches.front(), *all_[4]);
  EXPECT_EQ(*read(next(within), 1, 0).batches.front(), *all_[5]);
  EXPECT_EQ(*read(next(within), 1, 1).batches.front(), *all_[5]);
}

TEST_F(DiskReaderTest, AfterACutWhatReplacedItIsRead) {
  ASSERT_FALSE(read(LogIndex{1}, 1000).batches.empty());
  const LogIndex cut = peek_batch_header(*all_[10])->first;
  const auto replaced = make_batches(end_of(all_[9]), 3, 100, {2}, 7);
  rig_.disk().submit(CutFrom{cut});
  rig_.write(replaced);
  rig_.run();
  rig_.told().clear();
  const BatchesRead piece = read(cut, 1 << 20);
  EXPECT_EQ(bytes_of(piece), journal_test::bytes_of(replaced));
  EXPECT_EQ(piece.stopped, Stopped::AtEnd);
}

TEST_F(DiskReaderTest, WhatWasFreedIsSaidToBe) {
  rig_.snapshot(end_of(all_[30]));
  rig_.run();
  rig_.snapshot(end_of(all_[39]));
  rig_.run();
  rig_.disk().submit(DropBefore{next(end_of(all_[30]).last)});
  rig_.run();
  rig_.told().clear();
  const BatchesRead piece = read(LogIndex{1}, 1000);
  EXPECT_EQ(piece.stopped, Stopped::Freed);
  EXPECT_TRUE(piece.batches.empty());
  EXPECT_EQ(bytes_of(read(peek_batch_header(*all_[31])->first, 1 << 20)), from(31));
}

TEST_F(DiskReaderTest, PastTheEndThereIsNothing) {
  const BatchesRead piece = read(next(end_of(all_.back()).last), 1000);
  EXPECT_EQ(piece.stopped, Stopped::AtEnd);
  EXPECT_TRUE(piece.batches.empty());
}

TEST_F(DiskReaderTest, ASnapshotIsReadToItsEndThoughItWasReplacedMeanwhile) {
  for (const std::size_t place : {10U, 20U}) {
    rig_.snapshot(end_of(all_[place]));
    rig_.run();
  }
  rig_.told().clear();
  const Bytes whole = files_.contents("data/snapshots/" + snapshot_name(end_of(all_[20]).last));
  Bytes read;
  SnapshotFile file;
  do {
    rig_.disk().submit(ReadSnapshot{3, file.last, read.size(), 1500});
    if (read.size() == 3000)
      for (const std::size_t place : {30U, 35U}) rig_.snapshot(end_of(all_[place]));
    rig_.run();
    const auto piece = [this] {
      while (!std::holds_alternative<SnapshotRead>(rig_.told().front())) rig_.told().pop_front();
      return rig_.expect<SnapshotRead>();
    }();
    rig_.told().clear();
    file = piece.file;
    ASSERT_EQ(piece.offset, read.size());
    ASSERT_FALSE(piece.bytes.empty());
    read.insert(read.end(), piece.bytes.begin(), piece.bytes.end());
  } while (read.size() < file.bytes);
  EXPECT_EQ(read, whole);
  EXPECT_TRUE(std::equal(file.hash.begin(), file.hash.end(), whole.end() - 32));
}

TEST_F(DiskReaderTest, WithoutASnapshotNoneIsGiven) {
  rig_.disk().submit(ReadSnapshot{0, {}, 0, 1000});
  rig_.run();
  EXPECT_EQ(rig_.expect<SnapshotRead>().file.last, LogIndex{0});
  rig_.expect_nothing_else();
}

}  // namespace
}  // namespace cidbus
