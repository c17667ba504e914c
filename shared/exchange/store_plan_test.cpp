#include "shared/exchange/store_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shared/base/prng.h"
#include "shared/store/test_support.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr PeerId w1{1};
constexpr PeerId w2{2};
constexpr PeerId w3{3};
const StorePlan::Target t1{"w1", w1};
const StorePlan::Target t2{"w2", w2};
const StorePlan::Target t3{"w3", w3};

class Storing : public testing::Test {
 protected:
  void begin(StorePlan::Options options = {}) { plan.emplace(std::move(options)); }
  // Adds a block and lets the index name these as targets, connected.
  Block add(std::uint64_t seed, std::size_t size = 1000) {
    const Block block = random_block(size, seed);
    plan->add(now, block);
    return block;
  }
  void place(const std::vector<StorePlan::Target>& targets, std::uint32_t storing) {
    ASSERT_TRUE(plan->take_question(now));
    plan->placed(now, targets, storing);
    for (const auto& target : targets) plan->on_connected(now, target.peer);
  }
  // Sends all that may be sent; to whom each block went.
  std::multimap<PeerId, Cid> send_all() {
    std::multimap<PeerId, Cid> sent;
    while (const auto sending = plan->next_sending(now)) {
      plan->on_sent(now, *sending);
      sent.emplace(sending->peer, sending->block.cid());
    }
    return sent;
  }
  void reply(PeerId peer, const Block& block, StoreAnswer answer = StoreAnswer::Synced) {
    plan->on_reply(now, peer, block.cid(), answer, "the disk is full");
  }
  std::vector<PeerId> pass(Duration duration) {
    now += duration;
    return plan->pass_time(now);
  }

  Monotonic now{1h};
  std::optional<StorePlan> plan;
};

TEST_F(Storing, SettlesABlockOnceBothTargetsHaveSyncedIt) {
  begin();
  const Block block = add(1);
  const auto question = plan->take_question(now);
  ASSERT_TRUE(question);
  EXPECT_EQ(question->copies, 2u);
  EXPECT_EQ(plan->take_question(now), std::nullopt) << "asked once";
  plan->placed(now, {t1, t2}, 5);
  EXPECT_EQ(plan->next_sending(now), std::nullopt) << "not connected yet";
  plan->on_connected(now, w1);
  plan->on_connected(now, w2);
  EXPECT_EQ(send_all().size(), 2u);
  reply(w1, block);
  EXPECT_FALSE(plan->is_settled());
  reply(w1, block);
  EXPECT_FALSE(plan->is_settled()) << "one node twice is one copy";
  reply(w2, block);
  EXPECT_TRUE(plan->is_settled());
  EXPECT_EQ(plan->bytes_held(), 0u);
  EXPECT_EQ(plan->settled_blocks(), 1u);
  EXPECT_EQ(plan->deadline(now), std::nullopt);
}

TEST_F(Storing, NeedsNoMoreCopiesThanNodesStore) {
  begin();
  const Block block = add(1);
  place({t1}, 1);
  EXPECT_EQ(plan->need(), 1u);
  send_all();
  reply(w1, block);
  EXPECT_TRUE(plan->is_settled());
}

TEST_F(Storing, CountsTheCopyThisNodeKeepsItself) {
  begin({.keeps_copy = true, .own_name = "w1"});
  const Block block = add(1);
  const auto question = plan->take_question(now);
  ASSERT_TRUE(question);
  EXPECT_EQ(question->copies, 1u);
  EXPECT_THAT(question->exclude, ElementsAre("w1"));
  plan->placed(now, {t2}, 2);
  plan->on_connected(now, w2);
  send_all();
  reply(w2, block);
  EXPECT_TRUE(plan->is_settled());

  begin({.keeps_copy = true, .own_name = "w1"});
  add(2);
  place({}, 1);
  EXPECT_TRUE(plan->is_settled()) << "the only storing node has it already";

  begin({.copies = 1, .keeps_copy = true, .own_name = "w1"});
  add(3);
  EXPECT_TRUE(plan->is_settled());
}

TEST_F(Storing, HoldsNoMoreThanItsWindowButAlwaysOneBlock) {
  begin({.window_bytes = 2500});
  EXPECT_TRUE(plan->has_room(1 << 20));
  add(1);
  add(1);
  EXPECT_EQ(plan->bytes_held(), 1000u) << "the same block is held once";
  add(2);
  EXPECT_FALSE(plan->has_room(1000));
  EXPECT_TRUE(plan->has_room(500));
}

TEST_F(Storing, ReplacesALostTargetAndSendsAgainWhatItAloneHeld) {
  begin();
  const Block both = add(1);
  const Block only_lost = add(2);
  const Block neither = add(3);
  place({t1, t2}, 3);
  send_all();
  reply(w1, both);
  reply(w2, both);
  reply(w1, only_lost);
  plan->on_lost(now, w1);
  const auto question = plan->take_question(now);
  ASSERT_TRUE(question);
  EXPECT_EQ(question->copies, 1u);
  EXPECT_THAT(question->exclude, UnorderedElementsAre("w1", "w2"));
  plan->placed(now, {t3}, 3);
  plan->on_connected(now, w3);
  const auto sent = send_all();
  EXPECT_THAT(sent, UnorderedElementsAre(std::pair(w3, only_lost.cid()), std::pair(w3, neither.cid())));
  reply(w2, only_lost);
  reply(w2, neither);
  EXPECT_FALSE(plan->is_settled()) << "what the lost one synced of these counts no more";
  reply(w3, only_lost);
  reply(w3, neither);
  EXPECT_TRUE(plan->is_settled());
}

TEST_F(Storing, TakesALostTargetBackOnceItLives) {
  begin();
  const Block block = add(1);
  place({t1, t2}, 2);
  send_all();
  reply(w2, block);
  plan->on_lost(now, w1);
  place({}, 2);
  EXPECT_FALSE(plan->is_settled());
  pass(600ms);
  const auto question = plan->take_question(now);
  ASSERT_TRUE(question);
  EXPECT_THAT(question->exclude, ElementsAre("w2"));
  plan->placed(now, {t1}, 2);
  plan->on_connected(now, w1);
  EXPECT_THAT(send_all(), ElementsAre(std::pair(w1, block.cid())));
  reply(w1, block);
  EXPECT_TRUE(plan->is_settled());
}

TEST_F(Storing, ContentsItselfWithFewerCopiesOnceTheIndexKnowsFewerNodes) {
  begin();
  const Block block = add(1);
  place({t1, t2}, 2);
  send_all();
  reply(w2, block);
  plan->on_lost(now, w1);
  place({}, 2);
  EXPECT_FALSE(plan->is_settled());
  pass(300ms);
  place({}, 1);
  EXPECT_TRUE(plan->is_settled());
}

TEST_F(Storing, ReplacesAFullTargetAndCountsWhatItHas) {
  begin();
  const Block first = add(1);
  const Block second = add(2);
  place({t1, t2}, 3);
  send_all();
  reply(w1, first);
  reply(w1, second, StoreAnswer::NoRoom);
  place({t3}, 3);
  EXPECT_THAT(send_all(), ElementsAre(std::pair(w3, second.cid())));
  reply(w2, first);
  reply(w2, second);
  EXPECT_FALSE(plan->is_settled());
  reply(w3, second);
  EXPECT_TRUE(plan->is_settled()) << "a full node still has what it has";
}

TEST_F(Storing, SaysThatThereIsNoRoomAndWhy) {
  begin();
  const Block block = add(1);
  place({t1, t2}, 2);
  send_all();
  reply(w1, block, StoreAnswer::NoRoom);
  for (int round = 0; round < 12 && !plan->failure(); ++round) {
    place({}, 2);
    pass(250ms);
  }
  ASSERT_TRUE(plan->failure());
  EXPECT_EQ(plan->failure()->kind, FaultKind::TryAgain);
  EXPECT_THAT(plan->failure()->message, HasSubstr("no room for 2 copies on the 2 nodes that store blocks"));
  EXPECT_THAT(plan->failure()->message, HasSubstr("w1: the disk is full"));
  EXPECT_EQ(plan->next_sending(now), std::nullopt);
  EXPECT_EQ(plan->deadline(now), std::nullopt);
}

TEST_F(Storing, SaysThatTheOnlyHolderWentAway) {
  begin();
  const Block block = add(1);
  place({t1}, 1);
  send_all();
  reply(w1, block);
  plan->on_lost(now, w1);
  EXPECT_FALSE(plan->is_settled());
  for (int round = 0; round < 100 && !plan->failure(); ++round) {
    if (plan->take_question(now)) plan->placed(now, {}, 1);
    pass(250ms);
  }
  ASSERT_TRUE(plan->failure());
  EXPECT_EQ(plan->failure()->kind, FaultKind::Unavailable);
  EXPECT_THAT(plan->failure()->message, HasSubstr("1 of the blocks"));
}

TEST_F(Storing, IsSettledAgainWhenTheOnlyHolderComesBack) {
  begin();
  const Block block = add(1);
  place({t1}, 1);
  send_all();
  reply(w1, block);
  plan->on_lost(now, w1);
  pass(600ms);
  place({t1}, 1);
  EXPECT_TRUE(plan->is_settled());
}

TEST_F(Storing, GivesUpASilentTargetAndAnUnreachableOne) {
  begin();
  add(1);
  ASSERT_TRUE(plan->take_question(now));
  plan->placed(now, {t1, t2}, 3);
  plan->on_connected(now, w1);
  EXPECT_THAT(pass(2s), ElementsAre(w2)) << "never connected";
  send_all();
  EXPECT_THAT(pass(9s), IsEmpty());
  EXPECT_THAT(pass(1s), ElementsAre(w1)) << "took a block and said nothing";
}

TEST_F(Storing, FailsWhenNothingMovesForTooLong) {
  begin({.patience = 5s});
  add(1);
  for (int round = 0; round < 50 && !plan->failure(); ++round) {
    if (plan->take_question(now)) plan->placed(now, {}, 0);
    pass(250ms);
  }
  ASSERT_TRUE(plan->failure());
  EXPECT_EQ(plan->failure()->message, "no node stores blocks; start a cidbus-worker");

  begin({.patience = 5s});
  add(1);
  for (int round = 0; round < 50 && !plan->failure(); ++round) {
    if (plan->take_question(now))
      plan->not_placed(now, {FaultKind::Unavailable, "no broker reachable at b:1"});
    pass(250ms);
  }
  ASSERT_TRUE(plan->failure());
  EXPECT_EQ(plan->failure()->message, "no broker reachable at b:1");
}

TEST_F(Storing, SendsAgainToABusyTargetAfterAPause) {
  begin();
  const Block block = add(1);
  place({t1}, 1);
  send_all();
  reply(w1, block, StoreAnswer::Busy);
  EXPECT_THAT(send_all(), IsEmpty());
  pass(20ms);
  EXPECT_THAT(send_all(), ElementsAre(std::pair(w1, block.cid())));
}

TEST_F(Storing, BlamesWhoIsWrongAboutAHash) {
  begin();
  const Block good = add(1);
  place({t1}, 2);
  send_all();
  reply(w1, good, StoreAnswer::BadHash);
  EXPECT_EQ(plan->failure(), std::nullopt) << "the block is good, so the node is not";
  const auto question = plan->take_question(now);
  ASSERT_TRUE(question);
  EXPECT_THAT(question->exclude, ElementsAre("w1"));

  begin();
  const Block bad(random_block(10, 1).cid(), random_bytes(10, 2));
  plan->add(now, bad);
  place({t1}, 1);
  send_all();
  reply(w1, bad, StoreAnswer::BadHash);
  ASSERT_TRUE(plan->failure());
  EXPECT_EQ(plan->failure()->kind, FaultKind::BadData);
}

TEST_F(Storing, IsNotMisledByStrangers) {
  begin();
  const Block block = add(1);
  place({t1}, 1);
  send_all();
  reply(w3, block);
  plan->on_lost(now, w3);
  plan->on_refused(now, w3, "who?");
  plan->on_reply(now, w1, random_block(5, 5).cid(), StoreAnswer::Synced, "");
  EXPECT_FALSE(plan->is_settled());
  reply(w1, block);
  EXPECT_TRUE(plan->is_settled());
}

// Nodes that die, come back, fill up and answer in any order: what is called settled is on as many nodes as
// stated, and everything is settled once the nodes behave.
TEST_F(Storing, NeverCallsSettledWhatIsNotAndSettlesAllOnceNodesBehave) {
  const std::vector<StorePlan::Target> all{t1, t2, t3, {"w4", PeerId{4}}};
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Prng prng(seed);
    begin({.window_bytes = 10'000});
    std::map<PeerId, std::set<Cid>> synced;  // on disk: survives everything
    std::multimap<PeerId, Block> asked;
    std::uint64_t added = 0;
    const bool calm_from_the_start = prng.chance(1, 5);
    for (int step = 0; step < 5'000; ++step) {
      const bool calm = calm_from_the_start || step > 1'000;
      if (added < 60 && plan->has_room(1000)) add(seed * 1000 + ++added);
      if (const auto question = plan->take_question(now)) {
        std::vector<StorePlan::Target> named;
        for (const auto& target : all) {
          if (std::ranges::find(question->exclude, target.name) != question->exclude.end()) continue;
          if (named.size() < question->copies) named.push_back(target);
        }
        plan->placed(now, named, 4);
        for (const auto& target : named) plan->on_connected(now, target.peer);
      }
      while (const auto sending = plan->next_sending(now)) {
        if (!calm && prng.chance(1, 10)) {
          plan->on_unsent(now, *sending);
          continue;
        }
        plan->on_sent(now, *sending);
        asked.emplace(sending->peer, sending->block);
      }
      if (!calm && prng.chance(1, 15)) {
        const PeerId lost = all[prng.below(4)].peer;
        asked.erase(lost);
        plan->on_lost(now, lost);
      }
      if (!asked.empty()) {
        const auto at = std::next(asked.begin(), static_cast<std::ptrdiff_t>(prng.below(asked.size())));
        const auto [peer, block] = *at;
        asked.erase(at);
        if (!calm && prng.chance(1, 10)) {
          plan->on_reply(now, peer, block.cid(), StoreAnswer::Busy, "");
        } else {
          synced[peer].insert(block.cid());
          plan->on_reply(now, peer, block.cid(), StoreAnswer::Synced, "");
        }
      }
      pass(std::chrono::milliseconds(prng.below(50)));
      ASSERT_EQ(plan->failure(), std::nullopt) << "seed " << seed << ": " << plan->failure()->message;
      ASSERT_LE(plan->bytes_held(), 10'000u);
      if (added == 60 && plan->is_settled()) break;
    }
    ASSERT_TRUE(plan->is_settled()) << "seed " << seed;
    for (std::uint64_t i = 1; i <= added; ++i) {
      const Cid cid = random_block(1000, seed * 1000 + i).cid();
      const auto copies =
          std::ranges::count_if(synced, [&](const auto& on) { return on.second.contains(cid); });
      ASSERT_GE(copies, 2) << "seed " << seed << ", block " << i;
    }
  }
}

}  // namespace
}  // namespace cidbus
