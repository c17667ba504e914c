#include "broker/journal/vote_file.h"

#include <gtest/gtest.h>

#include "tests/support/simulated_disk.h"

namespace cidbus {
namespace {

const std::string folder = "d";
const std::string path = "d/meta";

VoteState first_state() {
  VoteState state;
  state.cluster = "kitchen";
  state.node = "b1";
  state.incarnation.bytes = {1, 2, 3, 4};
  return state;
}

VoteState voting(Epoch epoch, const std::string& voted) {
  VoteState state = first_state();
  state.epoch = epoch;
  state.voted = voted;
  return state;
}

Result<VoteFile> open(SimulatedDisk& disk) {
  std::vector<std::string> notices;
  return VoteFile::open(disk, folder, notices);
}

TEST(VoteFile, WhatWasWrittenIsThereAfterAPowerCut) {
  SimulatedDisk disk;
  ASSERT_TRUE(VoteFile::create(disk, folder, first_state()));
  {
    VoteFile votes = open(disk).value();
    EXPECT_EQ(votes.state(), first_state());
    for (std::uint64_t epoch = 1; epoch < 10; ++epoch) {
      ASSERT_TRUE(votes.write(voting({epoch}, "b" + std::to_string(epoch))));
      if (epoch % 3 == 0) {
        ASSERT_TRUE(votes.mirror());
      }
    }
    VoteState longest = voting({10}, std::string(limits::name_length, 'x'));
    longest.config_version = 5;
    longest.config_hash = 6;
    ASSERT_TRUE(votes.write(longest));
  }
  disk.crash_losing_all();
  const VoteState found = open(disk)->state();
  EXPECT_EQ(found.epoch, Epoch{10});
  EXPECT_EQ(found.voted, std::string(limits::name_length, 'x'));
  EXPECT_EQ(found.config_version, 5U);
  EXPECT_EQ(found.config_hash, 6U);
  EXPECT_EQ(found.incarnation, first_state().incarnation);
}

TEST(VoteFile, AVoteWhoseSyncFailedIsNotFoundThoughTheMachineLivesOn) {
  SimulatedDisk disk;
  ASSERT_TRUE(VoteFile::create(disk, folder, first_state()));
  {
    VoteFile votes = open(disk).value();
    disk.plan(1, DiskAccident::Broken);  // after the write: the sync
    ASSERT_FALSE(votes.write(voting({1}, "b2")));
  }
  disk.kill();
  EXPECT_EQ(open(disk)->state(), first_state());
  disk.crash_losing_all();
  EXPECT_EQ(open(disk)->state(), first_state());
}

TEST(VoteFile, APowerCutAtAnyWriteLeavesTheVoteBeforeOrTheVoteUnderWay) {
  for (std::uint64_t operation = 0;; ++operation) {
    bool reached = false;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      SimulatedDisk disk;
      ASSERT_TRUE(VoteFile::create(disk, folder, first_state()));
      Epoch told;
      Epoch writing;
      {
        VoteFile votes = open(disk).value();
        disk.plan(operation, DiskAccident::PowerCut);
        for (std::uint64_t epoch = 1; epoch <= 4; ++epoch) {
          writing = {epoch};
          if (!votes.write(voting(writing, "b1"))) break;
          told = writing;
          if (epoch % 2 == 0 && !votes.mirror()) break;
        }
      }
      reached = disk.accident_happened();
      Prng prng(seed);
      disk.crash(prng);
      const auto votes = open(disk);
      ASSERT_TRUE(votes) << votes.error().message;
      EXPECT_TRUE(votes->state().epoch == told || votes->state().epoch == writing)
          << operation << ' ' << seed;
    }
    if (!reached) return;
  }
}

TEST(VoteFile, ADamagedSlotTakesNoVoteBackOnceItIsMirrored) {
  for (ByteCount at = 0; at < 8192; at += 5) {
    SimulatedDisk disk;
    ASSERT_TRUE(VoteFile::create(disk, folder, first_state()));
    {
      VoteFile votes = open(disk).value();
      ASSERT_TRUE(votes.write(voting({7}, "b2")));
      EXPECT_TRUE(votes.wants_mirror());
      ASSERT_TRUE(votes.mirror());
      EXPECT_FALSE(votes.wants_mirror());
    }
    disk.flip_bit(path, at, static_cast<unsigned>(at % 8));
    std::vector<std::string> notices;
    const auto votes = VoteFile::open(disk, folder, notices);
    ASSERT_TRUE(votes);
    EXPECT_EQ(votes->state(), voting({7}, "b2"));
    ASSERT_EQ(notices.size(), 1U) << at;
    EXPECT_NE(notices[0].find("d/meta at " + std::to_string(at / 4096 * 4096)), std::string::npos)
        << notices[0];
    disk.crash_losing_all();
    notices.clear();
    ASSERT_TRUE(VoteFile::open(disk, folder, notices));
    EXPECT_TRUE(notices.empty()) << "made again for good";
  }
}

TEST(VoteFile, BothSlotsDamagedIsRefusedAndNamed) {
  for (const ByteCount second : {4096U, 5000U, 8191U}) {
    SimulatedDisk disk;
    ASSERT_TRUE(VoteFile::create(disk, folder, first_state()));
    disk.flip_bit(path, 17);
    disk.flip_bit(path, second);
    const auto votes = open(disk);
    ASSERT_FALSE(votes);
    EXPECT_EQ(votes.error().kind, FaultKind::BadData);
    EXPECT_NE(votes.error().message.find("d/meta is damaged at 0 and at 4096"), std::string::npos);
  }
}

TEST(VoteFile, AFileCutShortGivesWhatIsLeftOfItOrIsRefused) {
  for (ByteCount bytes = 0; bytes < 8192; bytes += 512) {
    SimulatedDisk disk;
    ASSERT_TRUE(VoteFile::create(disk, folder, first_state()));
    disk.truncate(path, bytes);
    const auto votes = open(disk);
    EXPECT_EQ(votes.has_value(), bytes >= 4096) << bytes;
    if (votes) {
      EXPECT_EQ(votes->state(), first_state());
    }
  }
}

TEST(VoteFile, MakingItIsAllOrNothing) {
  for (std::uint64_t operation = 0;; ++operation) {
    bool reached = false;
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
      SimulatedDisk disk;
      disk.plan(operation, DiskAccident::PowerCut);
      const Status made = VoteFile::create(disk, folder, first_state());
      reached = disk.accident_happened();
      Prng prng(seed);
      disk.crash(prng);
      const auto votes = open(disk);
      if (votes) {
        EXPECT_EQ(votes->state(), first_state());
      } else {
        EXPECT_FALSE(made);
        EXPECT_EQ(votes.error().kind, FaultKind::NotFound) << votes.error().message;
      }
    }
    if (!reached) return;
  }
}

TEST(VoteFile, AFailedSyncIsAFault) {
  SimulatedDisk disk;
  ASSERT_TRUE(VoteFile::create(disk, folder, first_state()));
  VoteFile votes = open(disk).value();
  disk.plan(1, DiskAccident::Broken);
  const Status status = votes.write(voting({1}, "b1"));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().kind, FaultKind::Failed);
}

TEST(VoteFileDeathTest, AnEpochNeverGoesBack) {
  SimulatedDisk disk;
  ASSERT_TRUE(VoteFile::create(disk, folder, first_state()));
  VoteFile votes = open(disk).value();
  ASSERT_TRUE(votes.write(voting({5}, "b1")));
  EXPECT_DEATH((void)votes.write(voting({4}, "b1")), "epoch");
}

}  // namespace
}  // namespace cidbus
