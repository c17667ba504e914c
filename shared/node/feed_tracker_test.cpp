#include "shared/node/feed_tracker.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

using Kind = FeedTracker::Kind;

class FeedTrackerTest : public ::testing::Test {
 protected:
  FeedTracker tracker;
  FeedTracker::Verdict hear(std::uint64_t number, FeedTopic topic = FeedTopic::Tasks,
                            std::uint64_t incarnation = 1, std::string_view publisher = "b1") {
    Header header;
    header.sender = publisher;
    header.incarnation = {incarnation};
    Feed feed;
    feed.topic = topic;
    feed.number = number;
    return tracker.on_feed(header, feed);
  }
};

TEST_F(FeedTrackerTest, TheFirstMessageMayHaveAnyNumberAndTheNextMustFollow) {
  EXPECT_EQ(hear(17).kind, Kind::First);
  EXPECT_EQ(hear(18).kind, Kind::InOrder);
}

TEST_F(FeedTrackerTest, AGapCountsWhatWasMissed) {
  hear(1);
  const auto verdict = hear(5);
  EXPECT_EQ(verdict.kind, Kind::Gap);
  EXPECT_EQ(verdict.missed, 3u);
  EXPECT_EQ(hear(6).kind, Kind::InOrder);
}

TEST_F(FeedTrackerTest, ARepeatedMessageIsKnown) {
  hear(4);
  EXPECT_EQ(hear(4).kind, Kind::Repeated);
  EXPECT_EQ(hear(3).kind, Kind::Repeated);
}

TEST_F(FeedTrackerTest, TopicsPublishersAndIncarnationsCountApart) {
  hear(9);
  EXPECT_EQ(hear(1, FeedTopic::Leader).kind, Kind::First);
  EXPECT_EQ(hear(1, FeedTopic::Tasks, 1, "b2").kind, Kind::First);
  EXPECT_EQ(hear(1, FeedTopic::Tasks, 2).kind, Kind::First) << "the publisher was restarted";
  EXPECT_EQ(hear(2, FeedTopic::Tasks, 2).kind, Kind::InOrder);
}

TEST_F(FeedTrackerTest, WhatAnEarlierLifeSaidIsKnownWhenItComesAgainBehindTheNextLife) {
  hear(1, FeedTopic::Tasks, 1);
  hear(1, FeedTopic::Tasks, 2);
  EXPECT_EQ(hear(1, FeedTopic::Tasks, 1).kind, Kind::Repeated);
  EXPECT_EQ(hear(1, FeedTopic::Tasks, 2).kind, Kind::Repeated);
}

}  // namespace
}  // namespace cidbus
