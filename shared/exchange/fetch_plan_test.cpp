#include "shared/exchange/fetch_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "shared/base/prng.h"
#include "shared/store/test_support.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;
using Urgency = FetchPlan::Urgency;

constexpr PeerId w1{1};
constexpr PeerId w2{2};
constexpr ByteCount typical = 256 << 10;

class Fetching : public testing::Test {
 protected:
  static Cid cid(std::uint64_t number) { return random_block(8, number).cid(); }
  // Wants a block that these are said to hold.
  void want(const Cid& wanted, std::vector<PeerId> holders, Urgency urgency = Urgency::Waited) {
    ASSERT_TRUE(plan.want(wanted, urgency));
    ASSERT_THAT(plan.take_to_locate(now), ElementsAre(wanted));
    plan.located(now, wanted, std::move(holders));
  }
  void connect(std::initializer_list<PeerId> peers) {
    for (const PeerId peer : peers) plan.on_connected(now, peer);
  }
  // Whom it asks for the one block that it asks for now.
  std::optional<PeerId> asks() {
    const auto requests = plan.take_requests(now);
    if (requests.empty()) return std::nullopt;
    EXPECT_THAT(requests, SizeIs(1));
    return requests[0].peer;
  }
  void pass(Duration duration) {
    now += duration;
    plan.pass_time(now);
  }

  Monotonic now{1h};
  FetchPlan plan{2s};
};

TEST_F(Fetching, LocatesThenAsksThenIsDone) {
  const Cid block = cid(1);
  connect({w1});
  want(block, {w1});
  EXPECT_EQ(asks(), w1);
  EXPECT_EQ(asks(), std::nullopt) << "asked once";
  plan.on_block(now, w1, block, 1000);
  EXPECT_FALSE(plan.wants(block));
  EXPECT_EQ(plan.bytes_under_way(), 0u);
  EXPECT_EQ(plan.deadline(), std::nullopt) << "nothing is left to wait for";
}

TEST_F(Fetching, WaitsForAConnectionBeforeItAsks) {
  want(cid(1), {w1});
  EXPECT_EQ(asks(), std::nullopt);
  EXPECT_EQ(plan.deadline(), now + 2s);
  connect({w1});
  EXPECT_EQ(asks(), w1);
}

TEST_F(Fetching, TriesTheNextHolderWhateverIsWrongWithOne) {
  const auto wrong_with = std::vector<std::function<void(const Cid&)>>{
      [&](const Cid& block) { plan.on_missing(now, w1, block); },
      [&](const Cid& block) { plan.on_wrong_block(now, w1, block); },
      [&](const Cid&) { plan.on_lost(now, w1); },
      [&](const Cid&) { plan.on_refused(now, w1); },
      [&](const Cid&) { pass(2s); },
  };
  for (std::size_t i = 0; i < wrong_with.size(); ++i) {
    plan = FetchPlan(2s);
    const Cid block = cid(i);
    connect({w1});
    want(block, {w1, w2});
    ASSERT_EQ(asks(), w1) << i;
    connect({w2});
    wrong_with[i](block);
    EXPECT_EQ(asks(), w2) << i;
  }
}

TEST_F(Fetching, AsksABusyHolderAgainAfterAPause) {
  const Cid block = cid(1);
  connect({w1});
  want(block, {w1});
  ASSERT_EQ(asks(), w1);
  plan.on_busy(now, w1, block);
  EXPECT_EQ(asks(), std::nullopt);
  ASSERT_TRUE(plan.deadline());
  pass(*plan.deadline() - now);
  EXPECT_EQ(asks(), w1);
}

TEST_F(Fetching, LocatesAgainWithGrowingPausesWhatNobodyHasWhileSomebodyWaits) {
  const Cid block = cid(1);
  want(block, {});
  Duration last{};
  for (int round = 0; round < 10; ++round) {
    EXPECT_THAT(plan.take_to_locate(now), IsEmpty());
    ASSERT_TRUE(plan.deadline());
    const Duration pause = *plan.deadline() - now;
    EXPECT_GE(pause, last);
    EXPECT_LE(pause, 1s);
    last = pause;
    pass(pause);
    ASSERT_THAT(plan.take_to_locate(now), ElementsAre(block));
    plan.located(now, block, {});
  }
  EXPECT_EQ(last, 1s);
  EXPECT_FALSE(plan.trouble(block).located);
}

TEST_F(Fetching, IsNotLocatedOnceEveryHolderHasDeniedIt) {
  const Cid block = cid(1);
  connect({w1, w2});
  want(block, {w1, w2});
  for (const bool last : {false, true}) {
    EXPECT_TRUE(plan.trouble(block).located);
    const auto asked = asks();
    ASSERT_TRUE(asked);
    plan.on_missing(now, *asked, block);
    EXPECT_EQ(plan.trouble(block).located, !last);
  }
}

TEST_F(Fetching, GivesUpAHintThatCannotBeHadAtOnce) {
  want(cid(1), {}, Urgency::Hint);
  EXPECT_EQ(plan.size(), 0u);
  connect({w1});
  want(cid(2), {w1}, Urgency::Hint);
  ASSERT_EQ(asks(), w1);
  plan.on_missing(now, w1, cid(2));
  EXPECT_EQ(plan.size(), 0u);
}

TEST_F(Fetching, AsksForWhatIsWaitedForBeforeHints) {
  connect({w1});
  for (std::uint64_t i = 0; i < 100; ++i) want(cid(i), {w1}, Urgency::Hint);
  want(cid(1000), {w1}, Urgency::Waited);
  plan.want(cid(99), Urgency::Waited);
  const auto requests = plan.take_requests(now);
  ASSERT_THAT(requests, SizeIs(1));
  EXPECT_THAT(std::vector(requests[0].cids.begin(), requests[0].cids.begin() + 2),
              UnorderedElementsAre(cid(1000), cid(99)));
}

TEST_F(Fetching, SharesTheWorkAmongHoldersAndKeepsTheWindows) {
  connect({w1, w2});
  for (std::uint64_t i = 0; i < 200; ++i) want(cid(i), {w1, w2});
  const auto requests = plan.take_requests(now);
  ASSERT_THAT(requests, SizeIs(2));
  EXPECT_EQ(requests[0].cids.size(), limits::fetch_peer_bytes / typical);
  EXPECT_EQ(requests[1].cids.size(), limits::fetch_peer_bytes / typical);
  EXPECT_LE(plan.bytes_under_way(), limits::fetch_bytes);
  EXPECT_EQ(asks(), std::nullopt);
  plan.on_block(now, w1, requests[0].cids[0], typical);
  EXPECT_EQ(asks(), w1) << "what came makes room for the next";
}

TEST_F(Fetching, AsksForManySmallBlocksButNotWithoutBound) {
  connect({w1});
  for (std::uint64_t i = 0; i < 200; ++i) {
    want(cid(i), {w1});
    plan.take_requests(now);
    plan.on_block(now, w1, cid(i), 10);
  }
  for (std::uint64_t i = 1000; i < 1200; ++i) want(cid(i), {w1});
  const auto requests = plan.take_requests(now);
  ASSERT_THAT(requests, SizeIs(1));
  EXPECT_EQ(requests[0].cids.size(), limits::fetch_peer_blocks);
}

TEST_F(Fetching, DoesNotTrustALiarForAMinute) {
  connect({w1});
  want(cid(1), {w1});
  ASSERT_EQ(asks(), w1);
  plan.on_wrong_block(now, w1, cid(1));
  EXPECT_THAT(plan.trouble(cid(1)).wrong, ElementsAre(w1));
  pass(50ms);
  ASSERT_THAT(plan.take_to_locate(now), SizeIs(1));
  plan.located(now, cid(1), {w1});
  EXPECT_EQ(asks(), std::nullopt);
  pass(1min);
  ASSERT_THAT(plan.take_to_locate(now), SizeIs(1));
  plan.located(now, cid(1), {w1});
  EXPECT_EQ(asks(), w1);
}

TEST_F(Fetching, IsNotMisledByWhatItDidNotAsk) {
  connect({w1, w2});
  want(cid(1), {w1});
  ASSERT_EQ(asks(), w1);
  plan.on_missing(now, w2, cid(1));
  plan.on_busy(now, w2, cid(1));
  plan.on_wrong_block(now, w2, cid(7));
  plan.on_block(now, w2, cid(7), 10);
  EXPECT_EQ(plan.bytes_under_way(), typical) << "w1 is still asked";
  plan.on_block(now, w2, cid(1), 10);
  EXPECT_EQ(plan.size(), 0u) << "right bytes are right, whoever sends them";
  EXPECT_EQ(plan.bytes_under_way(), 0u);
}

TEST_F(Fetching, TakesBackWhatCouldNotBeSent) {
  connect({w1});
  want(cid(1), {w1});
  const auto requests = plan.take_requests(now);
  ASSERT_THAT(requests, SizeIs(1));
  plan.on_unsent(now, requests[0]);
  EXPECT_EQ(plan.bytes_under_way(), 0u);
  EXPECT_EQ(asks(), std::nullopt);
  pass(10ms);
  EXPECT_EQ(asks(), w1);
}

TEST_F(Fetching, BoundsItsHints) {
  for (std::uint64_t i = 0; i < limits::fetch_wants; ++i) ASSERT_TRUE(plan.want(cid(i), Urgency::Hint));
  EXPECT_FALSE(plan.want(cid(1'000'000), Urgency::Hint));
  EXPECT_TRUE(plan.want(cid(1'000'001), Urgency::Waited));
}

// Peers that do anything at all, in any order: what is waited for arrives once one holder is honest.
TEST_F(Fetching, BringsEveryWaitedBlockHomeThroughAnyTroubleAndNeverStalls) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Prng prng(seed);
    plan = FetchPlan(2s);
    std::set<std::uint64_t> left;
    for (std::uint64_t i = 0; i < 40; ++i) {
      left.insert(i);
      plan.want(cid(i), Urgency::Waited);
    }
    std::map<Cid, std::uint64_t> numbers;
    for (const std::uint64_t i : left) numbers[cid(i)] = i;
    std::vector<std::pair<PeerId, Cid>> asked;
    const std::vector<PeerId> peers{{0}, {1}, {2}, {3}};
    for (int step = 0; step < 20'000 && !left.empty(); ++step) {
      const PeerId someone = peers[prng.below(4)];
      switch (prng.below(4)) {
        case 0:
          plan.on_connected(now, someone);
          break;
        case 1:
          if (prng.chance(1, 10)) {
            plan.on_lost(now, someone);
            std::erase_if(asked, [&](const auto& one) { return one.first == someone; });
          }
          break;
        default:
          break;
      }
      for (const Cid& block : plan.take_to_locate(now)) plan.located(now, block, peers);
      for (const auto& request : plan.take_requests(now)) {
        if (prng.chance(1, 20)) {
          plan.on_unsent(now, request);
          continue;
        }
        for (const Cid& block : request.cids) asked.emplace_back(request.peer, block);
      }
      if (asked.empty()) {
        ASSERT_TRUE(plan.deadline()) << "seed " << seed << ": wants blocks and waits for nothing";
        pass(std::max(*plan.deadline() - now, Duration::zero()));
        continue;
      }
      const auto [peer, block] = asked[prng.below(asked.size())];
      std::erase(asked, std::pair(peer, block));
      switch (prng.below(5)) {
        case 0:
          plan.on_missing(now, peer, block);
          break;
        case 1:
          plan.on_busy(now, peer, block);
          break;
        case 2:
          if (prng.chance(1, 30)) plan.on_wrong_block(now, peer, block);
          break;  // or silence
        default:
          plan.on_block(now, peer, block, 100'000);
          left.erase(numbers.at(block));
      }
      pass(std::chrono::milliseconds(prng.below(30)));
    }
    EXPECT_TRUE(left.empty()) << "seed " << seed << ": " << left.size() << " never came";
    EXPECT_EQ(plan.bytes_under_way(), 0u) << "seed " << seed;
  }
}

}  // namespace
}  // namespace cidbus
