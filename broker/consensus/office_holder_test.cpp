#include "broker/consensus/office_holder.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

TEST(OfficeHolder, ServesOnceItsVoteAndThenItsOpenRecordAreOnDisk) {
  OfficeHolder office({4}, {100}, Durability::Disk);
  EXPECT_EQ(office.epoch(), Epoch{5});
  EXPECT_EQ(office.commit(), LogIndex{0}) << "records of earlier epochs wait for one of its own (R3)";
  office.on_vote_persisted({5});
  office.on_open_appended({101});
  EXPECT_FALSE(office.serving());
  office.on_persisted({101});
  EXPECT_TRUE(office.serving());
  EXPECT_EQ(office.commit(), LogIndex{101});
}

TEST(OfficeHolder, CommitsWhatIsOnDiskAndNothingElse) {
  OfficeHolder office({0}, {0}, Durability::Disk);
  office.on_vote_persisted({1});
  office.on_open_appended({1});
  office.on_persisted({1});
  office.on_appended({5});
  EXPECT_EQ(office.commit(), LogIndex{1});
  office.on_persisted({4});
  EXPECT_EQ(office.commit(), LogIndex{4});
}

TEST(OfficeHolder, WithDurabilityMemoryCommitsWhatItHasReceived) {
  OfficeHolder office({0}, {0}, Durability::Memory);
  office.on_vote_persisted({1});
  office.on_open_appended({1});
  EXPECT_TRUE(office.serving());
  office.on_appended({5});
  EXPECT_EQ(office.commit(), LogIndex{5});
  EXPECT_EQ(office.durable(), LogIndex{0});
}

TEST(OfficeHolderDeathTest, AppendsNothingBeforeItsVoteIsOnDisk) {
  OfficeHolder office({0}, {0}, Durability::Disk);
  EXPECT_DEATH(office.on_open_appended({1}), "stage_ == Stage::Opening");
  EXPECT_DEATH(office.on_appended({1}), "appended before OPEN");
}

}  // namespace
}  // namespace cidbus
