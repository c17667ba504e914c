#include "worker/pins.h"

#include <gtest/gtest.h>

#include "shared/base/limits/pins.h"
#include "shared/io/replace_file.h"
#include "tests/support/simulated_disk.h"

namespace cidbus {
namespace {

Cid numbered(std::size_t number) { return Cid::v1(Codec::Raw, sha2_256(as_bytes(std::to_string(number)))); }

class PinsTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(disk.create_directory("data")); }
  std::unique_ptr<Pins> open() {
    auto pins = Pins::open(disk, "data");
    EXPECT_TRUE(pins) << pins.error().message;
    return std::move(*pins);
  }

  SimulatedDisk disk;
};

TEST_F(PinsTest, WhatWasAnsweredIsThereAfterAPowerCut) {
  auto pins = open();
  EXPECT_TRUE(pins->add(numbered(1)).value());
  EXPECT_TRUE(pins->add(numbered(2)).value());
  EXPECT_FALSE(pins->add(numbered(2)).value());
  disk.crash_losing_all();
  pins = open();
  EXPECT_EQ(pins->count(), 2U);
  EXPECT_TRUE(pins->remove(numbered(1)).value());
  EXPECT_FALSE(pins->remove(numbered(1)).value());
  disk.crash_losing_all();
  pins = open();
  EXPECT_EQ(pins->count(), 1U);
  EXPECT_FALSE(pins->add(numbered(2)).value());
}

TEST_F(PinsTest, APowerCutAtAnyOperationLeavesTheListBeforeOrAfter) {
  for (std::uint64_t operation = 0;; ++operation) {
    auto pins = open();
    ASSERT_TRUE(pins->add(numbered(1)));
    ASSERT_TRUE(pins->remove(numbered(2)));
    disk.plan(operation, DiskAccident::PowerCut);
    const bool added = pins->add(numbered(2)).has_value();
    const bool cut = disk.accident_happened();
    Prng chance(operation);
    disk.crash(chance);
    pins = open();
    EXPECT_FALSE(pins->add(numbered(1)).value()) << "lost at operation " << operation;
    EXPECT_LE(pins->count(), 2U);
    if (added) {
      EXPECT_EQ(pins->count(), 2U);
    }
    if (cut) continue;
    EXPECT_EQ(operation, 5U) << "create, write, sync, rename, sync of the folder";
    return;
  }
}

TEST_F(PinsTest, AListThatCouldNotBeWrittenIsAsItWas) {
  auto pins = open();
  ASSERT_TRUE(pins->add(numbered(1)));
  disk.plan(1, DiskAccident::NoRoom);
  const auto added = pins->add(numbered(2));
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().kind, FaultKind::TryAgain);
  EXPECT_EQ(pins->count(), 1U);
  EXPECT_TRUE(pins->add(numbered(2)).value());
  EXPECT_EQ(open()->count(), 2U);
}

TEST_F(PinsTest, TheVersionOfACidMakesNoOtherPin) {
  auto pins = open();
  const Cid old = Cid::v0(sha2_256(as_bytes("folder")));
  EXPECT_TRUE(pins->add(old).value());
  EXPECT_FALSE(pins->add(as_v1(old)).value());
  EXPECT_FALSE(open()->add(old).value());
  EXPECT_TRUE(pins->remove(as_v1(old)).value());
}

TEST_F(PinsTest, StopsAtItsLimitAndLosesNothing) {
  std::string text;
  for (std::size_t number = 0; number < limits::pins_a_worker; ++number)
    text += to_text(numbered(number)) + "\n";
  ASSERT_TRUE(replace_file(disk, "data", "pins", as_bytes(text)));
  auto pins = open();
  const auto more = pins->add(numbered(limits::pins_a_worker));
  ASSERT_FALSE(more);
  EXPECT_NE(more.error().message.find("10000 pins; unpin something"), std::string::npos);
  EXPECT_EQ(open()->count(), limits::pins_a_worker);
  EXPECT_TRUE(pins->remove(numbered(0)).value());
  EXPECT_TRUE(pins->add(numbered(limits::pins_a_worker)).value());
}

TEST_F(PinsTest, ALineThatIsNoCidIsNamed) {
  ASSERT_TRUE(replace_file(disk, "data", "pins", as_bytes(to_text(numbered(1)) + "\nnonsense\n")));
  const auto pins = Pins::open(disk, "data");
  ASSERT_FALSE(pins);
  EXPECT_EQ(pins.error().kind, FaultKind::BadData);
  EXPECT_NE(pins.error().message.find("data/pins, line 2: "), std::string::npos) << pins.error().message;
}

}  // namespace
}  // namespace cidbus
