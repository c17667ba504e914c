#include "broker/peer_registry.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

using group::BrokerIncarnation;
using group::GroupHeader;
using group::Seat;
using Verdict = PeerRegistry::Verdict;

constexpr Seat other{1};
constexpr Seat third{2};

BrokerIncarnation disk(std::uint8_t number) { return {{number}}; }

GroupHeader header(BrokerIncarnation from, BrokerIncarnation to = {}) {
  GroupHeader made;
  made.from_incarnation = from;
  made.to_incarnation = to;
  return made;
}

TEST(PeerRegistry, KnowsABrokerByTheDiskThatItWasFirstHeardWith) {
  PeerRegistry registry(disk(1));
  EXPECT_EQ(registry.of(other), BrokerIncarnation{});
  EXPECT_EQ(registry.judge(other, header(disk(2))), Verdict::Fits);
  EXPECT_EQ(registry.of(other), disk(2));
  EXPECT_EQ(registry.judge(other, header(disk(2), disk(1))), Verdict::Fits);
  EXPECT_EQ(registry.judge(third, header(disk(3))), Verdict::Fits);
}

// D4: it may have voted with the disk it had.
TEST(PeerRegistry, ABrokerThatComesBackWithAnotherDiskIsNotListenedTo) {
  PeerRegistry registry(disk(1));
  EXPECT_EQ(registry.judge(other, header(disk(2))), Verdict::Fits);
  EXPECT_EQ(registry.judge(other, header(disk(9))), Verdict::AnotherDisk);
  EXPECT_EQ(registry.judge(other, header(disk(2))), Verdict::Fits) << "the one it had is as welcome as ever";
  EXPECT_EQ(registry.of(other), disk(2));
}

TEST(PeerRegistry, WhatIsMeantForTheDiskOfBeforeTeachesNothing) {
  PeerRegistry registry(disk(1));
  EXPECT_EQ(registry.judge(other, header(disk(2), disk(8))), Verdict::NotForMe);
  EXPECT_EQ(registry.of(other), BrokerIncarnation{});
}

TEST(PeerRegistry, EachIsSaidOnce) {
  PeerRegistry registry(disk(1));
  EXPECT_TRUE(registry.is_news(other, Verdict::AnotherDisk));
  EXPECT_FALSE(registry.is_news(other, Verdict::AnotherDisk));
  EXPECT_TRUE(registry.is_news(other, Verdict::NotForMe));
  EXPECT_TRUE(registry.is_news(third, Verdict::AnotherDisk));
}

}  // namespace
}  // namespace cidbus
