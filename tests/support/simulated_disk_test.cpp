#include "tests/support/simulated_disk.h"

#include <gtest/gtest.h>

#include <set>

namespace cidbus {
namespace {

Bytes filled(std::size_t count, std::uint8_t value) { return Bytes(count, value); }

std::unique_ptr<File> durable_file(SimulatedDisk& disk, ByteView contents) {
  auto file = disk.create("d/f").value();
  EXPECT_TRUE(file->write(0, contents));
  EXPECT_TRUE(file->sync());
  EXPECT_TRUE(disk.sync_directory("d"));
  return file;
}

TEST(SimulatedDisk, AnUnsyncedWriteKeepsAnySubsetOfItsSectorsAndNoOther) {
  std::set<std::string> outcomes;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SimulatedDisk disk;
    auto file = durable_file(disk, filled(4 * sector_bytes, 'a'));
    ASSERT_TRUE(file->write(sector_bytes, filled(2 * sector_bytes, 'b')));
    Prng prng(seed);
    disk.crash(prng);
    const Bytes after = disk.contents("d/f");
    ASSERT_EQ(after.size(), 4 * sector_bytes);
    std::string outcome;
    for (std::size_t sector = 0; sector < 4; ++sector) {
      const std::uint8_t value = after[sector * sector_bytes];
      for (std::size_t k = 0; k < sector_bytes; ++k) ASSERT_EQ(after[sector * sector_bytes + k], value);
      outcome += static_cast<char>(value);
    }
    outcomes.insert(outcome);
  }
  EXPECT_EQ(outcomes, (std::set<std::string>{"aaaa", "abaa", "aaba", "abba"}));
}

TEST(SimulatedDisk, WhatIsSyncedSurvivesEveryCrash) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    SimulatedDisk disk;
    auto file = durable_file(disk, filled(3000, 'a'));
    Prng prng(seed);
    disk.crash(prng);
    EXPECT_EQ(disk.contents("d/f"), filled(3000, 'a'));
    EXPECT_FALSE(file->sync()) << "a handle of a dead process";
  }
}

TEST(SimulatedDisk, NamesAreLostWithoutASyncOfTheirFolderAndARenameIsWholeOrNot) {
  bool lost = false;
  bool kept = false;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SimulatedDisk disk;
    durable_file(disk, filled(10, 'a'));
    auto other = disk.create("d/new").value();
    ASSERT_TRUE(other->write(0, filled(10, 'b')));
    ASSERT_TRUE(other->sync());
    ASSERT_TRUE(disk.rename("d/new", "d/f"));
    Prng prng(seed);
    disk.crash(prng);
    ASSERT_TRUE(disk.exists("d/f"));
    (disk.contents("d/f") == filled(10, 'b') ? kept : lost) = true;
  }
  EXPECT_TRUE(lost);
  EXPECT_TRUE(kept);
}

TEST(SimulatedDisk, ADeadProcessLeavesItsWritesAndALaterPowerCutMayTakeThem) {
  SimulatedDisk disk;
  auto file = durable_file(disk, filled(10, 'a'));
  ASSERT_TRUE(file->write(0, filled(10, 'b')));
  disk.kill();
  EXPECT_EQ(disk.contents("d/f"), filled(10, 'b'));
  disk.crash_losing_all();
  EXPECT_EQ(disk.contents("d/f"), filled(10, 'a'));
}

TEST(SimulatedDisk, AFailedSyncLosesWhatItWasToKeepAndStaysFailed) {
  SimulatedDisk disk;
  auto file = durable_file(disk, filled(10, 'a'));
  ASSERT_TRUE(file->write(0, filled(10, 'b')));
  disk.plan(0, DiskAccident::Broken);
  const Status failed = file->sync();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, FaultKind::Failed);
  EXPECT_TRUE(disk.accident_happened());
  EXPECT_FALSE(file->sync());
  disk.crash_keeping_all();
  EXPECT_EQ(disk.contents("d/f"), filled(10, 'a'));
}

TEST(SimulatedDisk, APowerCutStopsEveryLaterOperation) {
  SimulatedDisk disk;
  auto file = durable_file(disk, filled(10, 'a'));
  disk.plan(1, DiskAccident::PowerCut);
  ASSERT_TRUE(file->write(0, filled(10, 'b')));
  EXPECT_FALSE(file->write(0, filled(10, 'c')));
  EXPECT_FALSE(file->sync());
  EXPECT_FALSE(disk.create("d/g"));
  disk.crash_losing_all();
  EXPECT_EQ(disk.paths(), (std::vector<std::string>{"d/f"}));
  EXPECT_EQ(disk.contents("d/f"), filled(10, 'a'));
}

TEST(SimulatedDisk, RoomIsCountedByPagesAndGivenBack) {
  SimulatedDisk disk(16 * 1024);
  auto file = durable_file(disk, filled(10, 'a'));
  EXPECT_EQ(disk.used(), 4096U);
  ASSERT_TRUE(file->preallocate(8192));
  const Status status = file->write(8192, filled(16'384, 'b'));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, FaultKind::TryAgain);
  EXPECT_EQ(disk.space("d").value().free, 0U);
  ASSERT_TRUE(file->resize(10));
  EXPECT_EQ(disk.space("d").value().free, 3 * 4096U);
  ASSERT_TRUE(disk.remove("d/f"));
  EXPECT_EQ(disk.used(), 0U);
}

TEST(SimulatedDisk, AShrunkAndRegrownFileReadsAsZerosEvenAfterAPowerCut) {
  SimulatedDisk disk;
  auto file = durable_file(disk, filled(5000, 'a'));
  ASSERT_TRUE(file->resize(100));
  ASSERT_TRUE(file->resize(5000));
  ASSERT_TRUE(file->sync());
  disk.crash_losing_all();
  Bytes expected = filled(5000, 0);
  std::fill_n(expected.begin(), 100, std::uint8_t{'a'});
  EXPECT_EQ(disk.contents("d/f"), expected);
}

TEST(SimulatedDisk, DamageIsSeenAtOnceAndAfterACrash) {
  SimulatedDisk disk;
  durable_file(disk, filled(600, 0));
  disk.flip_bit("d/f", 513, 3);
  EXPECT_EQ(disk.contents("d/f")[513], 8);
  disk.crash_losing_all();
  EXPECT_EQ(disk.contents("d/f")[513], 8);
  auto file = disk.open("d/f").value();
  disk.fail_reads("d/f", 513);
  Bytes read(512);
  EXPECT_TRUE(file->read(0, read));
  EXPECT_EQ(file->read(512, read).error().kind, FaultKind::Failed);
  disk.truncate("d/f", 512);
  disk.crash_losing_all();
  EXPECT_EQ(disk.contents("d/f").size(), 512U);
}

TEST(SimulatedDisk, WhatAFailedSyncLeftIsReadUntilTheCacheIsForgotten) {
  SimulatedDisk disk;
  auto file = durable_file(disk, filled(600, 'a'));
  ASSERT_TRUE(file->write(0, filled(600, 'b')));
  disk.plan(0, DiskAccident::Broken);
  EXPECT_FALSE(file->sync());
  disk.kill();
  file = disk.open("d/f").value();
  EXPECT_EQ(disk.contents("d/f"), filled(600, 'b')) << "it looks written";
  ASSERT_TRUE(file->sync()) << "and synced";
  file->forget_cache();
  EXPECT_EQ(disk.contents("d/f"), filled(600, 'a')) << "and is not";
  ASSERT_TRUE(file->write(0, filled(600, 'c')));
  file->forget_cache();
  EXPECT_EQ(disk.contents("d/f"), filled(600, 'c')) << "what waits to be written is kept";
}

TEST(SimulatedDisk, TheSameSeedGivesTheSameBytes) {
  const auto run = [] {
    SimulatedDisk disk;
    auto file = durable_file(disk, filled(100'000, 'a'));
    EXPECT_TRUE(file->write(500, filled(90'000, 'b')));
    Prng prng(77);
    disk.crash(prng);
    return disk.contents("d/f");
  };
  EXPECT_EQ(run(), run());
}

TEST(SimulatedDisk, AFolderIsLockedUntilItsHolderDies) {
  SimulatedDisk disk;
  auto lock = disk.lock("d");
  ASSERT_TRUE(lock);
  EXPECT_FALSE(disk.lock("d"));
  disk.kill();
  auto again = disk.lock("d");
  ASSERT_TRUE(again);
  lock.value().reset();
  EXPECT_FALSE(disk.lock("d")) << "a dead process must not give back the lock of a living one";
}

}  // namespace
}  // namespace cidbus
