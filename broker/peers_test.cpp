#include "broker/peers.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

TEST(PeersTest, ANumberStandsForOneRoutingIdUntilItIsForgotten) {
  Peers peers;
  const auto first = peers.add({"w1#1", "w1", Role::Worker, {1}});
  const auto second = peers.add({"w2#1", "w2", Role::Worker, {1}});
  ASSERT_TRUE(first && second);
  EXPECT_NE(*first, *second);
  EXPECT_EQ(peers.find("w1#1"), first);
  EXPECT_EQ(peers.find_name("w2"), second);
  EXPECT_EQ(peers.all(), (std::vector<Peer>{*first, *second}));
  peers.forget(*first);
  EXPECT_FALSE(peers.known(*first));
  EXPECT_EQ(peers.find("w1#1"), std::nullopt);
  EXPECT_EQ(peers.add({"w1#2", "w1", Role::Worker, {2}}), first) << "numbers are used again";
}

TEST(PeersDeathTest, ANameHasOnePeer) {
  Peers peers;
  peers.add({"w1#1", "w1", Role::Worker, {1}});
  EXPECT_DEATH(peers.add({"w1#2", "w1", Role::Worker, {2}}), "find_name");
}

}  // namespace
}  // namespace cidbus
