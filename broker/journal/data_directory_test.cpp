#include "broker/journal/data_directory.h"

#include <gtest/gtest.h>

#include "tests/support/journal_support.h"

namespace cidbus {
namespace {

using journal_test::as_new;
using journal_test::bytes_of;
using journal_test::contents;
using journal_test::make_batches;

DataDirectoryOptions some_options() {
  DataDirectoryOptions options;
  options.folder = "data";
  options.cluster = "kitchen";
  options.node = "b1";
  options.fresh_incarnation.bytes = {4, 5, 6};
  options.journal = journal_test::few_identifiers();
  options.marks.reserve_bytes = 64 << 10;
  return options;
}

DataDirectory opened(SimulatedDisk& disk) {
  auto directory = DataDirectory::open(disk, some_options());
  EXPECT_TRUE(directory) << (directory ? "" : directory.error().message);
  return std::move(*directory);
}

void write_snapshot(DataDirectory& directory, const ChainEnd& last) {
  SnapshotInfo info;
  info.cluster = cluster_id("kitchen");
  info.last = last;
  auto writer = directory.snapshots().begin(info).value();
  ASSERT_TRUE(writer.add(Bytes(100, 1)));
  ASSERT_TRUE(writer.finish());
  while (!writer.verify_some().value()) continue;
  ASSERT_TRUE(directory.snapshots().install(writer));
}

void expect_fault(SimulatedDisk& disk, const DataDirectoryOptions& options, FaultKind kind,
                  const std::string& text) {
  const auto directory = DataDirectory::open(disk, options);
  ASSERT_FALSE(directory) << text;
  EXPECT_EQ(directory.error().kind, kind) << directory.error().message;
  EXPECT_NE(directory.error().message.find(text), std::string::npos) << directory.error().message;
  EXPECT_EQ(directory.error().message.find('\n'), std::string::npos);
}

TEST(DataDirectory, IsMadeOnceAndKeepsItsIncarnation) {
  SimulatedDisk disk;
  {
    const DataDirectory directory = opened(disk);
    EXPECT_EQ(directory.votes().state().incarnation, some_options().fresh_incarnation);
    EXPECT_EQ(directory.replay_from(), LogIndex{1});
    EXPECT_EQ(directory.highest_epoch(), Epoch{0});
    EXPECT_TRUE(directory.notices().empty());
  }
  disk.crash_losing_all();
  DataDirectoryOptions options = some_options();
  options.fresh_incarnation.bytes = {7};
  const auto again = DataDirectory::open(disk, options);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->votes().state().incarnation, some_options().fresh_incarnation);
}

// CONSENSUS D4.
TEST(DataDirectory, ANewOneOfAGroupIsUnprovenUntilItsBrokerIsAlone) {
  SimulatedDisk disk;
  DataDirectoryOptions of_group = some_options();
  of_group.on_damage = OnDamage::Keep;
  of_group.new_is_unproven = true;
  for (int starts = 0; starts < 2; ++starts) {
    const auto directory = DataDirectory::open(disk, of_group);
    ASSERT_TRUE(directory);
    EXPECT_TRUE(directory->repairing());
    EXPECT_TRUE(directory->is_new());
  }
  for (const DataDirectoryOptions& options : {some_options(), of_group}) {
    const auto directory = DataDirectory::open(disk, options);
    ASSERT_TRUE(directory);
    EXPECT_FALSE(directory->repairing());
    EXPECT_FALSE(directory->is_new());
  }
}

TEST(DataDirectory, AMakingCutShortAtAnyWriteIsBegunAgain) {
  for (std::uint64_t operation = 0;; ++operation) {
    bool reached = false;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      SimulatedDisk disk;
      disk.plan(operation, DiskAccident::PowerCut);
      (void)DataDirectory::open(disk, some_options());
      reached = disk.accident_happened();
      Prng prng(seed);
      disk.crash(prng);
      DataDirectory directory = opened(disk);
      EXPECT_TRUE(directory.journal().append(as_new(make_batches({}, 2, 10))));
    }
    if (!reached) return;
  }
}

TEST(DataDirectory, BelongsToOneProcessAndOneBroker) {
  SimulatedDisk disk;
  {
    const DataDirectory directory = opened(disk);
    expect_fault(disk, some_options(), FaultKind::TryAgain, "data is in use by another process");
  }
  DataDirectoryOptions options = some_options();
  options.node = "b2";
  expect_fault(disk, options, FaultKind::BadUsage,
               "is that of broker b1 of cluster kitchen, not of b2 of kitchen");
  options = some_options();
  options.cluster = "cellar";
  expect_fault(disk, options, FaultKind::BadUsage, "name another folder with --data");
  opened(disk);
}

TEST(DataDirectory, TheHighestEpochIsThatOfTheVoteOrOfTheJournal) {
  SimulatedDisk disk;
  {
    DataDirectory directory = opened(disk);
    const std::vector<NewBatch> batch{{journal_test::make_batch({}, Epoch{3}, 1, 10), Epoch{5}}};
    ASSERT_TRUE(directory.journal().append(batch));
  }
  disk.kill();
  {
    DataDirectory directory = opened(disk);
    EXPECT_EQ(directory.highest_epoch(), Epoch{5});
    VoteState state = directory.votes().state();
    state.epoch = {8};
    ASSERT_TRUE(directory.votes().write(state));
  }
  disk.kill();
  EXPECT_EQ(opened(disk).highest_epoch(), Epoch{8});
}

// ---- damage

TEST(DataDirectory, ALostVoteFileIsRefusedOnceThereAreRecordsOrSnapshots) {
  SimulatedDisk disk;
  {
    DataDirectory directory = opened(disk);
    ASSERT_TRUE(directory.journal().append(as_new(make_batches({}, 2, 10))));
  }
  disk.kill();
  disk.remove_file("data/meta");
  expect_fault(disk, some_options(), FaultKind::BadData,
               "the vote file data/meta is missing though journal/segment-");
  disk.remove_file("data/journal/segment-0000000001");
  opened(disk);  // nothing is left that it could have promised: it begins again
  disk.kill();
  {
    DataDirectory directory = opened(disk);
    const auto batches = make_batches({}, 2, 10);
    ASSERT_TRUE(directory.journal().append(as_new(batches)));
    write_snapshot(directory, journal_test::end_of(batches.back()));
  }
  disk.kill();
  disk.remove_file("data/meta");
  disk.remove_file("data/journal/segment-0000000001");
  expect_fault(disk, some_options(), FaultKind::BadData, "is missing though snapshots/snapshot-");
}

TEST(DataDirectory, ALostJournalIsRefusedAndNamed) {
  SimulatedDisk disk;
  opened(disk);
  disk.kill();
  disk.remove_file("data/journal/segment-0000000001");
  expect_fault(disk, some_options(), FaultKind::BadData,
               "data/journal/segment-0000000001 at 0: the file is missing: the journal is gone");
}

class DirectoryWithSnapshots : public testing::Test {
 protected:
  // Batches 1 to 40; snapshots after the 20th and the 30th; the first segment freed.
  DirectoryWithSnapshots() {
    DataDirectory directory = opened(disk_);
    batches_ = make_batches({}, 40, 10);
    EXPECT_TRUE(directory.journal().append(as_new(batches_)));
    write_snapshot(directory, end_of(20));
    write_snapshot(directory, end_of(30));
    EXPECT_FALSE(directory.journal().drop_one_before(directory.snapshots().droppable_before()).value());
    EXPECT_TRUE(directory.journal().close());
  }
  void SetUp() override { disk_.kill(); }

  [[nodiscard]] ChainEnd end_of(std::size_t batch) const { return journal_test::end_of(batches_[batch - 1]); }
  [[nodiscard]] std::string snapshot_path(std::size_t batch) const {
    return "data/snapshots/" + snapshot_name(end_of(batch).last);
  }
  [[nodiscard]] std::vector<Bytes> batches_after(std::size_t batch) const {
    return bytes_of({batches_.begin() + static_cast<std::ptrdiff_t>(batch), batches_.end()});
  }

  SimulatedDisk disk_;
  std::vector<BatchBytes> batches_;
};

TEST_F(DirectoryWithSnapshots, ReplayBeginsBehindTheNewest) {
  const DataDirectory directory = opened(disk_);
  ASSERT_NE(directory.newest_snapshot(), nullptr);
  EXPECT_EQ(directory.newest_snapshot()->info.last, end_of(30));
  EXPECT_EQ(directory.replay_from(), next(end_of(30).last));
  EXPECT_EQ(contents(directory.journal(), directory.replay_from()), batches_after(30));
}

TEST_F(DirectoryWithSnapshots, ReplayFromTheOlderGivesTheSameWhenTheNewestIsDamaged) {
  disk_.flip_bit(snapshot_path(30), 4100);
  const DataDirectory directory = opened(disk_);
  EXPECT_EQ(directory.newest_snapshot()->info.last, end_of(20));
  EXPECT_EQ(contents(directory.journal(), directory.replay_from()), batches_after(20));
  ASSERT_EQ(directory.notices().size(), 1U);
  EXPECT_NE(directory.notices()[0].find(snapshot_path(30) + " at "), std::string::npos)
      << directory.notices()[0];
}

TEST_F(DirectoryWithSnapshots, WithoutAWholeSnapshotTheFreedRecordsAreMissedAndNamed) {
  disk_.flip_bit(snapshot_path(30), 4100);
  disk_.flip_bit(snapshot_path(20), 10);
  expect_fault(disk_, some_options(), FaultKind::BadData, "though no whole snapshot goes past 0");
}

TEST_F(DirectoryWithSnapshots, ALostFirstSegmentIsMissedUnlessTheSnapshotCoversIt) {
  disk_.remove_file("data/journal/segment-0000000002");
  opened(disk_);  // the newest snapshot goes past all that was in it
  disk_.kill();
  disk_.flip_bit(snapshot_path(30), 4100);
  expect_fault(disk_, some_options(), FaultKind::BadData, "the journal in data begins with record");
}

TEST_F(DirectoryWithSnapshots, AJournalThatEndsBeforeItsSnapshotIsRefused) {
  DataDirectory directory = opened(disk_);
  ASSERT_TRUE(directory.journal().cut_from(peek_batch_header(*batches_[25])->first));
  disk_.kill();
  expect_fault(disk_, some_options(), FaultKind::BadData, "before its snapshot of");
}

TEST_F(DirectoryWithSnapshots, WhatIsMendedIsSaid) {
  disk_.flip_bit("data/meta", 100);
  disk_.flip_bit("data/journal/segment-0000000003", identifiers_offset + 5);
  const DataDirectory directory = opened(disk_);
  ASSERT_EQ(directory.notices().size(), 2U);
  EXPECT_NE(directory.notices()[0].find("data/meta at 0"), std::string::npos);
  EXPECT_NE(directory.notices()[1].find("segment-0000000003 at 4096"), std::string::npos)
      << directory.notices()[1];
}

// ---- room

TEST(DataDirectory, AFullDiskIsRefusedWithAReasonAndNothingOfANewOneCounts) {
  SimulatedDisk disk(40 << 10);
  expect_fault(disk, some_options(), FaultKind::TryAgain, "No space left");
  disk.set_capacity(1 << 20);
  opened(disk);
}

TEST(DiskRoom, SaysLowAtTheSoftMarkAndFullWhileTheReserveIsGone) {
  SimulatedDisk disk(1000 << 10);
  DiskMarks marks;
  marks.reserve_bytes = 100 << 10;
  DiskRoom room = DiskRoom::open(disk, "data", marks).value();
  EXPECT_EQ(room.room(), Room::Roomy);
  EXPECT_EQ(disk.used(), 100U << 10);
  auto other = disk.create("data/other").value();
  const auto fill_to = [&](ByteCount free) {
    ASSERT_TRUE(other->resize(0));
    ASSERT_TRUE(other->preallocate(disk.space("data").value().free - free));
  };
  fill_to(80 << 10);  // a tenth of 1000 KiB is the soft mark
  EXPECT_EQ(room.check(0).value(), Room::Low);
  fill_to(104 << 10);
  EXPECT_EQ(room.check(0).value(), Room::Low) << "left only at 9/8 of the mark";
  fill_to(116 << 10);
  EXPECT_EQ(room.check(0).value(), Room::Roomy);
  EXPECT_EQ(room.check(80 << 10).value(), Room::Low) << "one and a half of the newest snapshot";
  EXPECT_TRUE(room.release().value());
  EXPECT_FALSE(room.release().value());
  EXPECT_EQ(room.room(), Room::Full);
  EXPECT_EQ(room.space().free, 116U << 10);
  fill_to(180 << 10);
  EXPECT_EQ(room.check(0).value(), Room::Full) << "room for the reserve, and not for the soft mark too";
  fill_to(220 << 10);
  EXPECT_EQ(room.check(0).value(), Room::Roomy);
  EXPECT_TRUE(disk.exists("data/reserve"));
  EXPECT_EQ(room.space().free, 120U << 10);
}

TEST(DiskRoom, WithoutRoomForTheReserveItIsFullFromTheStart) {
  SimulatedDisk disk(100 << 10);
  DiskMarks marks;
  marks.reserve_bytes = 200 << 10;
  const DiskRoom room = DiskRoom::open(disk, "data", marks).value();
  EXPECT_EQ(room.room(), Room::Full);
  EXPECT_FALSE(disk.exists("data/reserve"));
}

}  // namespace
}  // namespace cidbus
