#include "broker/peers.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

constexpr Monotonic began{std::chrono::hours(1)};

TEST(PeersTest, ANumberStandsForOneRoutingIdUntilItIsForgotten) {
  Peers peers;
  const auto first = peers.add(began, {"w1#1", "w1", Role::Worker, {1}, {}});
  const auto second = peers.add(began, {"w2#1", "w2", Role::Worker, {1}, {}});
  ASSERT_TRUE(first && second);
  EXPECT_NE(*first, *second);
  EXPECT_EQ(peers.find("w1#1"), first);
  EXPECT_EQ(peers.find_name("w2"), second);
  EXPECT_EQ(peers.all(), (std::vector<Peer>{*first, *second}));
  peers.forget(*first);
  EXPECT_FALSE(peers.known(*first));
  EXPECT_EQ(peers.find("w1#1"), std::nullopt);
  EXPECT_EQ(peers.add(began, {"w1#2", "w1", Role::Worker, {2}, {}}), first) << "numbers are used again";
}

TEST(PeersTest, TheQuietestIsTheOneHeardLongestAgo) {
  Peers peers;
  EXPECT_EQ(peers.quietest(), Peer::Nobody);
  std::vector<Peer> three;
  for (const char* name : {"a", "b", "c"})
    three.push_back(*peers.add(began, {name, name, Role::Client, {1}, {}}));
  EXPECT_EQ(peers.quietest(), three[0]);
  peers.heard(began + std::chrono::seconds(1), three[0]);
  EXPECT_EQ(peers.quietest(), three[1]);
  EXPECT_EQ(peers.at(three[0]).heard, began + std::chrono::seconds(1));
  peers.heard(began + std::chrono::seconds(2), three[2]);
  peers.forget(three[1]);
  EXPECT_EQ(peers.quietest(), three[0]);
  peers.forget(three[0]);
  peers.heard(began + std::chrono::seconds(3), three[2]);
  EXPECT_EQ(peers.quietest(), three[2]);
  peers.forget(three[2]);
  EXPECT_EQ(peers.quietest(), Peer::Nobody);
}

TEST(PeersDeathTest, ANameHasOnePeer) {
  Peers peers;
  peers.add(began, {"w1#1", "w1", Role::Worker, {1}, {}});
  EXPECT_DEATH(peers.add(began, {"w1#2", "w1", Role::Worker, {2}, {}}), "find_name");
}

}  // namespace
}  // namespace cidbus
