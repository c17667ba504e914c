#include "broker/cluster/provider_index.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <set>

#include "shared/base/prng.h"

namespace cidbus {
namespace {

using Holders = std::vector<ProviderIndex::Holder>;

BlockKey block(std::uint64_t number) {
  BlockKey key;
  std::memcpy(key.bytes.data(), &number, sizeof(number));
  return key;
}

TEST(ProviderIndexTest, NamesTheHoldersOfABlockOnce) {
  ProviderIndex index;
  const auto first = index.register_holder();
  const auto second = index.register_holder();
  index.add(first, block(1));
  index.add(second, block(1));
  index.add(first, block(1));
  EXPECT_EQ(index.find(block(1)), (Holders{first, second}));
  EXPECT_EQ(index.find(block(2)), Holders{});
  index.remove(first, block(1));
  EXPECT_EQ(index.find(block(1)), Holders{second});
  index.remove(second, block(1));
  EXPECT_EQ(index.blocks(), 0u);
}

TEST(ProviderIndexTest, ARetiredHolderIsForgottenAtOnceAndItsNumberComesBackAfterASweep) {
  ProviderIndex index;
  const auto first = index.register_holder();
  for (std::uint64_t number = 0; number < 5000; ++number) index.add(first, block(number));
  index.retire_holder(first);
  EXPECT_EQ(index.find(block(7)), Holders{});
  const auto second = index.register_holder();
  EXPECT_NE(second, first);
  while (index.sweep(100)) {
  }
  EXPECT_EQ(index.blocks(), 0u);
  EXPECT_EQ(index.register_holder(), first);
}

TEST(ProviderIndexTest, RemembersSevenHoldersOfABlock) {
  ProviderIndex index;
  Holders holders;
  for (int count = 0; count < 9; ++count) {
    holders.push_back(index.register_holder());
    index.add(holders.back(), block(1));
  }
  EXPECT_EQ(index.find(block(1)).size(), ProviderIndex::most_holders);
  index.retire_holder(holders[0]);
  index.add(holders[8], block(1));
  EXPECT_EQ(index.find(block(1)).back(), holders[8]) << "the place of one that left is free again";
}

TEST(ProviderIndexTest, GrowsWhileASweepIsUnderWayAndForgetsNothing) {
  ProviderIndex index;
  const auto gone = index.register_holder();
  const auto stays = index.register_holder();
  for (std::uint64_t number = 0; number < 20'000; ++number) {
    index.add(number % 2 == 0 ? gone : stays, block(number));
  }
  index.retire_holder(gone);
  index.sweep(5000);
  for (std::uint64_t number = 20'000; number < 200'000; ++number) {
    index.add(stays, block(number));
    if (number % 64 == 0) index.sweep(10);
  }
  while (index.sweep(1000)) {
  }
  EXPECT_EQ(index.blocks(), 190'000u);
  EXPECT_EQ(index.find(block(1)), Holders{stays});
  EXPECT_EQ(index.find(block(2)), Holders{});
  EXPECT_EQ(index.find(block(199'999)), Holders{stays});
}

TEST(ProviderIndexTest, AgreesWithAPlainMapOverRandomHistories) {
  Prng prng(11);
  ProviderIndex index;
  std::map<std::uint64_t, std::set<ProviderIndex::Holder>> model;
  std::vector<ProviderIndex::Holder> live{index.register_holder(), index.register_holder()};
  for (int step = 0; step < 200'000; ++step) {
    const std::uint64_t number = prng.below(3000);
    const auto holder = live[prng.below(live.size())];
    const auto choice = prng.below(1000);
    if (choice < 600) {
      if (model[number].size() < ProviderIndex::most_holders || model[number].contains(holder)) {
        index.add(holder, block(number));
        model[number].insert(holder);
      }
    } else if (choice < 990) {
      index.remove(holder, block(number));
      model[number].erase(holder);
    } else if (choice < 995 && live.size() < 6) {
      live.push_back(index.register_holder());
    } else if (choice < 998 && live.size() > 2) {
      index.retire_holder(live.back());
      for (auto& [key, holders] : model) holders.erase(live.back());
      live.pop_back();
    } else {
      index.sweep(prng.below(4000));
    }
    const auto found = index.find(block(number));
    ASSERT_EQ(std::set(found.begin(), found.end()), model[number]) << "step " << step;
  }
}

}  // namespace
}  // namespace cidbus
