#include "broker/cluster/content_index.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

namespace cidbus {
namespace {

using namespace std::chrono_literals;

class ContentIndexTest : public ::testing::Test {
 protected:
  Membership membership;
  std::set<std::string, std::less<>> leaving;
  ContentIndex index{membership, Prng(3), [this](std::string_view name) { return leaving.contains(name); }};
  Now now{Monotonic(1h), WallTime{1000}};
  const BlockKey block{{1}};
  const BlockKey other{{2}};

  void join(const std::string& name, std::uint64_t free_bytes = 1ULL << 30,
            const std::string& exchange = "h:1", std::string_view zone = {}) {
    Hello hello;
    hello.role = Role::Worker;
    hello.exchange = exchange;
    hello.load.block_bytes = 1ULL << 30;
    hello.load.disk_free_bytes = free_bytes;
    if (!zone.empty()) hello.labels = {{"rack", "7"}, {"zone", zone}};
    membership.hello(now, name, {1}, hello, false);
  }
  std::vector<std::string> names(const std::vector<NodeAddress>& nodes) {
    std::vector<std::string> found;
    for (const auto& node : nodes) found.emplace_back(node.name);
    return found;
  }
};

TEST_F(ContentIndexTest, FindsEachBlocksHoldersAndNobodyForOthers) {
  join("w1");
  join("w2");
  index.announce("w1", {false, {block, other}, {}});
  index.announce("w2", {false, {block}, {}});
  const Providers found = index.find({{9}, {other, block, BlockKey{{3}}}});
  EXPECT_EQ(found.request, RequestId{9});
  EXPECT_EQ(names(found.nodes), (std::vector<std::string>{"w1", "w2"}));
  EXPECT_EQ(found.blocks[0].holders, (std::vector<std::uint32_t>{0}));
  EXPECT_EQ(found.blocks[1].holders, (std::vector<std::uint32_t>{0, 1}));
  EXPECT_TRUE(found.blocks[2].holders.empty());
}

TEST_F(ContentIndexTest, ANodeThatStartsAnewIsBelievedOnlyWhatItSaysNow) {
  join("w1");
  index.announce("w1", {false, {block}, {}});
  index.announce("w1", {true, {other}, {}});
  EXPECT_TRUE(index.find({{}, {block}}).nodes.empty());
  EXPECT_EQ(index.find({{}, {other}}).nodes.size(), 1u);
}

TEST_F(ContentIndexTest, ADeadNodeIsNotNamed) {
  join("w1");
  index.announce("w1", {false, {block}, {}});
  now.monotonic += 6s;
  membership.take_changes(now);
  EXPECT_TRUE(index.find({{}, {block}}).nodes.empty());
  EXPECT_EQ(index.place({}).storing_nodes, 0u);
}

TEST_F(ContentIndexTest, PlacesOnDistinctNodesWithRoomThatAreNotExcluded) {
  join("w1");
  join("w2");
  join("w3");
  join("full", 1 << 20);
  join("g1", 1ULL << 40, "");
  for (int round = 0; round < 50; ++round) {
    const Placement placed = index.place({{1}, 2, 1 << 20, {"w2"}});
    const auto chosen = names(placed.nodes);
    EXPECT_EQ(std::set(chosen.begin(), chosen.end()), (std::set<std::string>{"w1", "w3"}));
    EXPECT_EQ(placed.storing_nodes, 4u);
  }
}

TEST_F(ContentIndexTest, NothingIsPlacedOnANodeThatIsLeavingAndItCountsOnlyForItself) {
  join("w1");
  join("w2");
  join("w3");
  leaving = {"w1"};
  const auto others = index.place({{1}, 3, 0, {}});
  EXPECT_THAT(names(others.nodes), testing::UnorderedElementsAre("w2", "w3"));
  EXPECT_EQ(others.storing_nodes, 2u);
  EXPECT_EQ(index.place({{1}, 1, 0, {"w1"}}).storing_nodes, 3u) << "its own copy is one";
  EXPECT_EQ(index.place({{1}, 1, 0, {"cli", "w1"}}).storing_nodes, 2u) << "of a target it will be none";
  leaving = {"w1", "w2", "w3"};
  const auto nobody = index.place({{1}, 1, 0, {"w1"}});
  EXPECT_TRUE(nobody.nodes.empty());
  EXPECT_EQ(nobody.storing_nodes, 1u);
  index.announce("w1", {false, {block}, {}});
  EXPECT_EQ(index.find({{}, {block}}).nodes.size(), 1u) << "what it has is there as long as it is";
}

TEST_F(ContentIndexTest, PlacesByTheRoomThatANodeToldLast) {
  join("full", 0);
  join("w1");
  EXPECT_EQ(names(index.place({{1}, 1, 0, {}}).nodes), std::vector<std::string>{"w1"});
  membership.heartbeat(now, "w1", {1}, NodeLoad{.block_bytes = 1ULL << 30, .disk_free_bytes = 1 << 20});
  EXPECT_TRUE(index.place({{1}, 1, 0, {}}).nodes.empty()) << "it has filled up since";
}

TEST_F(ContentIndexTest, PlacesOnANodeThatMayHoldLittleUntilAnEighthOfItIsLeft) {
  join("small");
  const auto chosen = [&](std::uint64_t held_mebibytes) {
    membership.heartbeat(
        now, "small", {1},
        {.block_bytes = held_mebibytes << 20, .disk_free_bytes = (40 - held_mebibytes) << 20});
    return !index.place({{1}, 1, 32 << 20, {}}).nodes.empty();
  };
  EXPECT_TRUE(chosen(0));
  EXPECT_TRUE(chosen(34));
  EXPECT_FALSE(chosen(35));
}

TEST_F(ContentIndexTest, PlacesMoreWhereThereIsMoreRoom) {
  join("small", 1ULL << 30);
  join("large", 9ULL << 30);
  int large = 0;
  for (int round = 0; round < 1000; ++round)
    large += index.place({{1}, 1, 0, {}}).nodes[0].name == "large" ? 1 : 0;
  EXPECT_GT(large, 800);
  EXPECT_LT(large, 980);
}

TEST_F(ContentIndexTest, CopiesGoToOtherZonesFirst) {
  join("a1", 1ULL << 40, "h:1", "a");
  join("a2", 1ULL << 40, "h:1", "a");
  join("b1", 1ULL << 30, "h:1", "b");
  for (std::uint64_t round = 0; round < 50; ++round) {
    auto chosen = names(index.place({{round}, 2, 0, {}}).nodes);
    std::sort(chosen.begin(), chosen.end());
    EXPECT_EQ(chosen.back(), "b1") << "one in each zone, however little room it has beside the others";
    EXPECT_EQ(names(index.place({{round}, 1, 0, {"a1"}}).nodes), std::vector<std::string>{"b1"})
        << "a1 has a copy already";
  }
  EXPECT_EQ(index.place({{1}, 3, 0, {}}).nodes.size(), 3u) << "rather in the same zone than nowhere";
}

}  // namespace
}  // namespace cidbus
