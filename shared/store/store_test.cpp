// What all stores promise alike.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <thread>

#include "shared/base/limits/content.h"
#include "shared/store/block_key.h"
#include "shared/store/disk_store.h"
#include "shared/store/memory_store.h"
#include "shared/store/pack_store.h"
#include "shared/store/rocksdb_store.h"
#include "shared/store/test_support.h"

namespace cidbus {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using OpenStore =
    std::function<std::unique_ptr<BlockStore>(const TestFolder&, ByteCount capacity, StoreListener)>;

std::unique_ptr<BlockStore> open_memory(const TestFolder&, ByteCount capacity, StoreListener listener) {
  return std::make_unique<MemoryStore>(capacity, WhenFull::Refuse, std::move(listener));
}

std::unique_ptr<BlockStore> open_rocksdb(const TestFolder& folder, ByteCount capacity,
                                         StoreListener listener) {
  auto store = open_rocksdb_store({folder.path(), capacity, 0, std::move(listener)});
  EXPECT_TRUE(store) << store.error().message;
  return store ? std::move(*store) : nullptr;
}

// Packs of a few blocks, so that every test meets more than one.
std::unique_ptr<BlockStore> open_packs(const TestFolder& folder, ByteCount capacity, StoreListener listener) {
  auto store = open_pack_store({folder.path(), capacity, 0, std::move(listener)}, 5000);
  EXPECT_TRUE(store) << store.error().message;
  return store ? std::move(*store) : nullptr;
}

class Store : public testing::TestWithParam<std::pair<const char*, OpenStore>> {
 protected:
  std::unique_ptr<BlockStore> open(ByteCount capacity = 1 << 30, StoreListener listener = {}) {
    return GetParam().second(folder_, capacity, std::move(listener));
  }
  TestFolder folder_;
};

INSTANTIATE_TEST_SUITE_P(All, Store,
                         testing::Values(std::pair("memory", OpenStore(open_memory)),
                                         std::pair("packs", OpenStore(open_packs)),
                                         std::pair("rocksdb", OpenStore(open_rocksdb))),
                         [](const auto& named) { return named.param.first; });

TEST_P(Store, GivesBackWhatWasPutFromNothingToTheLargestBlock) {
  const auto store = open();
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1000}, limits::block_bytes}) {
    const Block block = random_block(size, size + 1);
    EXPECT_FALSE(*store->has(block.cid()));
    EXPECT_FALSE(store->get(block.cid())->has_value());
    EXPECT_THAT(store->put({&block, 1}).answers, ElementsAre(PutAnswer::Stored));
    EXPECT_TRUE(*store->has(block.cid()));
    const auto found = store->get(block.cid(), Check::Hash);
    ASSERT_TRUE(found && *found);
    EXPECT_TRUE(equal((*found)->bytes(), block.bytes()));
    EXPECT_EQ((*found)->cid(), block.cid());
  }
}

TEST_P(Store, MeetsAllFormsOfOneBlock) {
  const auto store = open();
  const Block raw = random_block(100, 1);
  ASSERT_TRUE(store->put({&raw, 1}).all_kept());
  for (const Cid& form : {Cid::v0(raw.cid().multihash()), Cid::v1(Codec::DagPb, raw.cid().multihash())}) {
    EXPECT_TRUE(*store->has(form));
    const auto found = store->get(form);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->cid(), form);
    EXPECT_TRUE(equal((*found)->bytes(), raw.bytes()));
    const Block again(form, to_bytes(raw.bytes()));
    EXPECT_THAT(store->put({&again, 1}).answers, ElementsAre(PutAnswer::Present));
    EXPECT_EQ(block_key(form), block_key(raw.cid()));
  }
  EXPECT_EQ(store->counts().blocks, 1u);
}

TEST_P(Store, NeverKeepsWhatIsNotWhatItsCidNames) {
  const auto store = open();
  const Block good = random_block(100, 1);
  const Block lie(good.cid(), to_bytes(random_block(100, 2).bytes()));
  const Block unknown(Cid::v1(Codec::Raw, Multihash(HashCode{0x1b}, good.cid().multihash().digest())),
                      to_bytes(good.bytes()));
  const Block huge = random_block(limits::block_bytes + 1, 3);
  const Block null;
  const std::vector<Block> blocks{lie, unknown, huge, null, good};
  const PutReport report = store->put(blocks);
  EXPECT_THAT(report.answers,
              ElementsAre(PutAnswer::Bad, PutAnswer::Bad, PutAnswer::Bad, PutAnswer::Bad, PutAnswer::Stored));
  EXPECT_THAT(report.reason, HasSubstr(to_text(good.cid())));
  EXPECT_EQ(to_status(report).error().kind, FaultKind::BadData);
  EXPECT_EQ(store->counts().blocks, 1u);
  EXPECT_FALSE(*store->has(huge.cid()));
}

TEST_P(Store, AnswersIdentityCidsFromTheCidAndKeepsNothing) {
  const auto store = open();
  const Bytes content{'h', 'i'};
  const Block block(Cid::v1(Codec::Raw, *hash_content(HashCode::Identity, content)), content);
  EXPECT_THAT(store->put({&block, 1}).answers, ElementsAre(PutAnswer::Present));
  EXPECT_TRUE(*store->has(block.cid()));
  EXPECT_TRUE(equal((**store->get(block.cid())).bytes(), content));
  EXPECT_EQ(store->counts().blocks, 0u);
}

TEST_P(Store, CountsABlockOnceHoweverOftenItComes) {
  std::vector<BlockKey> heard;
  const auto store =
      open(1 << 30, [&](auto added, auto) { heard.insert(heard.end(), added.begin(), added.end()); });
  const Block block = random_block(1000, 1);
  const std::vector<Block> twice{block, block};
  EXPECT_TRUE(store->put(twice).all_kept());
  EXPECT_TRUE(store->put(twice).all_kept());
  EXPECT_EQ(store->counts().blocks, 1u);
  EXPECT_EQ(store->counts().bytes, 1000u);
  EXPECT_THAT(heard, ElementsAre(block_key(block.cid())));
}

TEST_P(Store, RemovesAndSaysSo) {
  std::vector<BlockKey> gone;
  const auto store =
      open(1 << 30, [&](auto, auto removed) { gone.insert(gone.end(), removed.begin(), removed.end()); });
  const std::vector<Block> blocks = random_blocks(3, 1000);
  ASSERT_TRUE(store->put(blocks).all_kept());
  const std::vector<Cid> named{blocks[0].cid(), blocks[0].cid(), random_block(9, 99).cid(), blocks[2].cid()};
  ASSERT_TRUE(store->remove(named));
  EXPECT_FALSE(*store->has(blocks[0].cid()));
  EXPECT_FALSE(store->get(blocks[2].cid())->has_value());
  EXPECT_TRUE(*store->has(blocks[1].cid()));
  EXPECT_EQ(store->counts().blocks, 1u);
  EXPECT_EQ(store->counts().bytes, 1000u);
  EXPECT_THAT(gone, ElementsAre(block_key(blocks[0].cid()), block_key(blocks[2].cid())));
  EXPECT_THAT(store->put({blocks.data(), 1}).answers, ElementsAre(PutAnswer::Stored));
}

TEST_P(Store, ListsEveryKeyWithItsSizeUntilTold) {
  const auto store = open();
  std::map<Multihash, ByteCount> wanted;
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < 500; ++i) {
    blocks.push_back(random_block(i * 7, i));
    wanted[blocks.back().cid().multihash()] = i * 7;
  }
  ASSERT_TRUE(store->put(blocks).all_kept());
  std::map<Multihash, ByteCount> seen;
  ASSERT_TRUE(
      store->for_each([&](const Multihash& key, ByteCount size) { return seen.emplace(key, size).second; }));
  EXPECT_EQ(seen, wanted);
  int visits = 0;
  ASSERT_TRUE(store->for_each([&](const Multihash&, ByteCount) { return ++visits < 3; }));
  EXPECT_EQ(visits, 3);
}

TEST_P(Store, RefusesBeyondItsCapacityAndTakesMoreOnceThereIsRoom) {
  const auto store = open(10'000);
  const std::vector<Block> blocks = random_blocks(12, 1000);
  const PutReport report = store->put(blocks);
  EXPECT_EQ(report.answers.front(), PutAnswer::Stored);
  EXPECT_EQ(report.answers.back(), PutAnswer::NoRoom);
  EXPECT_THAT(report.reason, HasSubstr("hold"));
  EXPECT_EQ(to_status(report).error().kind, FaultKind::TryAgain);
  EXPECT_LE(store->counts().bytes, 10'000u);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_EQ(*store->has(blocks[i].cid()), report.answers[i] == PutAnswer::Stored) << i;
  }
  ASSERT_TRUE(store->remove(std::vector{blocks[0].cid(), blocks[1].cid()}));
  EXPECT_THAT(store->put({&blocks.back(), 1}).answers, ElementsAre(PutAnswer::Stored));
}

TEST_P(Store, KeepsItsCountsTrueWhileThreadsPutAndRemoveTheSameBlocks) {
  const auto store = open();
  const std::vector<Block> blocks = random_blocks(64, 500);
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      for (std::size_t i = 0; i < blocks.size(); ++i) {
        const Block& block = blocks[(i * (2 * thread + 1)) % blocks.size()];
        EXPECT_TRUE(store->put({&block, 1}).all_kept());
        if (i % 3 == thread % 3) {
          EXPECT_TRUE(store->remove(std::vector{block.cid()}));
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::uint64_t count = 0;
  ByteCount bytes = 0;
  ASSERT_TRUE(store->for_each([&](const Multihash&, ByteCount size) {
    ++count;
    bytes += size;
    return true;
  }));
  EXPECT_EQ(store->counts().blocks, count);
  EXPECT_EQ(store->counts().bytes, bytes);
}

TEST(MemoryCache, LetsGoOfWhatWasUsedLongestAgo) {
  std::vector<BlockKey> gone;
  MemoryStore cache(3 * (1000 + memory_store_entry_bytes), WhenFull::Evict,
                    [&](auto, auto removed) { gone.insert(gone.end(), removed.begin(), removed.end()); });
  const std::vector<Block> blocks = random_blocks(4, 1000);
  ASSERT_TRUE(cache.put({blocks.data(), 3}).all_kept());
  const auto held = cache.get(blocks[1].cid());
  ASSERT_TRUE(cache.get(blocks[0].cid())->has_value());
  ASSERT_TRUE(cache.put({&blocks[3], 1}).all_kept());
  EXPECT_THAT(gone, ElementsAre(block_key(blocks[2].cid())));
  const Block large = random_block(3000, 77);
  ASSERT_TRUE(cache.put({&large, 1}).all_kept());
  EXPECT_EQ(cache.counts().blocks, 1u);
  EXPECT_TRUE(equal((*held)->bytes(), blocks[1].bytes())) << "handed out, so it lives on";
}

TEST(MemoryCache, MadeSmallerLetsGoAtOnceOfWhatWasUsedLongestAgo) {
  std::vector<BlockKey> gone;
  MemoryStore cache(4 * (1000 + memory_store_entry_bytes), WhenFull::Evict,
                    [&](auto, auto removed) { gone.insert(gone.end(), removed.begin(), removed.end()); });
  const std::vector<Block> blocks = random_blocks(4, 1000);
  ASSERT_TRUE(cache.put(blocks).all_kept());
  cache.set_capacity(2 * (1000 + memory_store_entry_bytes));
  EXPECT_THAT(gone, ElementsAre(block_key(blocks[0].cid()), block_key(blocks[1].cid())));
  EXPECT_EQ(cache.counts().blocks, 2u);
  EXPECT_EQ(cache.counts().free_bytes, 0u);
  cache.set_capacity(3 * (1000 + memory_store_entry_bytes));
  ASSERT_TRUE(cache.put({blocks.data(), 1}).all_kept());
  EXPECT_EQ(cache.counts().blocks, 3u);
}

TEST(MemoryCache, RefusesABlockLargerThanItselfAndKeepsTheOthers) {
  MemoryStore cache(2000, WhenFull::Evict);
  const Block small = random_block(1000, 1);
  const Block large = random_block(2000, 2);
  ASSERT_TRUE(cache.put({&small, 1}).all_kept());
  EXPECT_THAT(cache.put({&large, 1}).answers, ElementsAre(PutAnswer::NoRoom));
  EXPECT_TRUE(*cache.has(small.cid()));
}

TEST(MemoryCache, BoundsManyEmptyBlocksToo) {
  MemoryStore cache(100 * memory_store_entry_bytes, WhenFull::Evict);
  for (std::size_t i = 0; i < 1000; ++i) {
    const Block block = random_block(1 + i % 3, i);
    cache.put_verified(block);
  }
  EXPECT_LE(cache.counts().blocks, 100u);
}

TEST(StoreFolder, OneThatMayNotBeMadeIsNotAllowed) {
  const Status made = make_store_folder("/sys/cidbus-store-test");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().kind, FaultKind::NotAllowed) << made.error().message;
}

}  // namespace
}  // namespace cidbus
