#include "shared/store/indexed_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shared/store/block_key.h"
#include "shared/store/rocksdb_store.h"
#include "shared/store/test_support.h"

namespace cidbus {
namespace {

using testing::Each;
using testing::ElementsAre;

class Indexed : public testing::Test {
 protected:
  std::unique_ptr<IndexedStore> open(ByteCount capacity, WhenFull when_full = WhenFull::Evict,
                                     std::span<const BlockKey> used = {}) {
    auto disk = open_rocksdb_store({folder_.path(), 1 << 30, 0, {}});
    EXPECT_TRUE(disk) << disk.error().message;
    auto store = IndexedStore::open(*std::move(disk), when_full, capacity, used);
    EXPECT_TRUE(store) << store.error().message;
    return *std::move(store);
  }
  static PutAnswer put(IndexedStore& store, const Block& block) { return store.put({&block, 1}).answers[0]; }
  // By key, so that the question is no use.
  std::vector<bool> here(const IndexedStore& store) {
    std::vector<bool> answers;
    for (const Block& block : blocks_) answers.push_back(store.has(block_key(block.cid())));
    return answers;
  }

  TestFolder folder_;
  const std::vector<Block> blocks_ = random_blocks(4, 1000);
};

TEST_F(Indexed, LetsGoOfWhatWasUsedLongestAgoAndStaysWithinItsCapacity) {
  const auto store = open(3000);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(put(*store, blocks_[i]), PutAnswer::Stored);
  EXPECT_TRUE(*store->get(blocks_[0].cid()));
  EXPECT_EQ(put(*store, blocks_[3]), PutAnswer::Stored);
  EXPECT_THAT(here(*store), ElementsAre(true, false, true, true));
  EXPECT_EQ(store->counts().bytes, 3000U);
  EXPECT_FALSE(*store->get(blocks_[1].cid()));
}

TEST_F(Indexed, NeverEvictsWhatIsKeptAndSaysSoWhenThatLeavesNoRoom) {
  const auto store = open(3000);
  for (int i = 0; i < 3; ++i) put(*store, blocks_[i]);
  store->keep(std::vector{block_key(blocks_[0].cid()), block_key(blocks_[1].cid())});
  EXPECT_EQ(put(*store, blocks_[3]), PutAnswer::Stored);
  EXPECT_THAT(here(*store), ElementsAre(true, true, false, true));
  store->keep(std::vector{block_key(blocks_[3].cid())});
  EXPECT_EQ(store->kept_bytes(), 3000U);
  EXPECT_EQ(put(*store, blocks_[2]), PutAnswer::NoRoom);
  EXPECT_THAT(here(*store), ElementsAre(true, true, false, true));
  store->keep_only(std::vector{block_key(blocks_[1].cid()), block_key(blocks_[3].cid())});
  EXPECT_EQ(put(*store, blocks_[2]), PutAnswer::Stored);
  EXPECT_THAT(here(*store), ElementsAre(false, true, true, true));
}

TEST_F(Indexed, HoldsItsBoundAndItsOrderOfUseOverARestart) {
  std::vector<BlockKey> used;
  {
    const auto store = open(4000);
    for (const Block& block : blocks_) put(*store, block);
    EXPECT_TRUE(*store->get(blocks_[0].cid()));
    used = store->uses();
  }
  const auto store = open(2000, WhenFull::Evict, used);
  EXPECT_EQ(store->counts().bytes, 4000U);
  store->keep(std::vector{block_key(blocks_[1].cid())});
  ASSERT_TRUE(store->trim());
  EXPECT_THAT(here(*store), ElementsAre(true, true, false, false));
  EXPECT_EQ(store->counts().bytes, 2000U);
}

TEST_F(Indexed, RefusesWhenFullIfToldToAndLosesNothing) {
  const auto store = open(3500, WhenFull::Refuse);
  const PutReport report = store->put(blocks_);
  EXPECT_THAT(report.answers,
              ElementsAre(PutAnswer::Stored, PutAnswer::Stored, PutAnswer::Stored, PutAnswer::NoRoom));
  EXPECT_NE(report.reason, "");
  EXPECT_THAT(here(*store), ElementsAre(true, true, true, false));
  ASSERT_TRUE(store->remove(std::vector{blocks_[1].cid()}));
  EXPECT_EQ(put(*store, blocks_[3]), PutAnswer::Stored);
  EXPECT_EQ(store->counts().bytes, 3000U);
}

TEST_F(Indexed, CountsABlockOnceHoweverOftenItIsPutAndTakesNoneThatLies) {
  const auto store = open(3000);
  for (int i = 0; i < 3; ++i) put(*store, blocks_[0]);
  EXPECT_EQ(store->counts().bytes, 1000U);
  EXPECT_EQ(put(*store, Block(blocks_[1].cid(), to_bytes(blocks_[2].bytes()))), PutAnswer::Bad);
  EXPECT_EQ(store->counts().bytes, 1000U);
}

}  // namespace
}  // namespace cidbus
