// What packs promise beyond the common (store_test.cpp): restart, crash, damage, the disk they take.

#include "shared/store/pack_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "shared/store/pack_file.h"
#include "shared/store/test_support.h"

namespace cidbus {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class PackStoreTest : public testing::Test {
 protected:
  std::unique_ptr<BlockStore> open(ByteCount pack_bytes = 1 << 20) {
    damage_.clear();
    auto store = open_pack_store({.folder = folder_.path(),
                                  .reserve_bytes = 0,
                                  .listener = {},
                                  .on_damage = [this](const std::string& what) { damage_.push_back(what); }},
                                 pack_bytes);
    EXPECT_TRUE(store) << store.error().message;
    return store ? std::move(*store) : nullptr;
  }
  static bool holds(BlockStore& store, const Block& block) {
    const auto found = store.get(block.cid(), Check::Hash);
    return found && *found && equal((*found)->bytes(), block.bytes());
  }
  [[nodiscard]] std::string pack(std::uint32_t number) const {
    return folder_.path() + "/000000000" + std::to_string(number) + ".pack";
  }
  [[nodiscard]] std::string index(std::uint32_t number) const {
    return folder_.path() + "/000000000" + std::to_string(number) + ".index";
  }
  [[nodiscard]] ByteCount disk_bytes() const {
    ByteCount bytes = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) bytes += entry.file_size();
    return bytes;
  }
  static void spoil(const std::string& path, std::uint64_t at) {
    std::fstream stream(path, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekg(static_cast<std::streamoff>(at));
    const char byte = static_cast<char>(stream.get() ^ 0x55);
    stream.seekp(static_cast<std::streamoff>(at));
    stream.put(byte);
  }
  TestFolder folder_;
  std::vector<std::string> damage_;  // told by the last open()
};

TEST_F(PackStoreTest, IsTheSameAfterARestartOverManyPacks) {
  const std::vector<Block> blocks = random_blocks(40, 10'000);
  {
    const auto store = open(64'000);
    for (const Block& block : blocks) ASSERT_TRUE(store->put({&block, 1}).all_kept());
    ASSERT_TRUE(store->remove(std::vector{blocks[7].cid()}));
  }
  ASSERT_TRUE(std::filesystem::exists(pack(5)));
  for (const bool indexed : {true, false}) {
    if (!indexed) std::filesystem::remove(index(2));
    const auto store = open(64'000);
    EXPECT_EQ(store->counts().blocks, 39u);
    EXPECT_EQ(store->counts().bytes, 390'000u);
    for (std::size_t i = 0; i < blocks.size(); ++i) EXPECT_EQ(holds(*store, blocks[i]), i != 7) << i;
  }
  EXPECT_TRUE(std::filesystem::exists(index(2))) << "made again by the walk";
}

TEST_F(PackStoreTest, BelievesNoDamagedIndex) {
  const std::vector<Block> blocks = random_blocks(20, 10'000);
  {
    const auto store = open(64'000);
    for (const Block& block : blocks) ASSERT_TRUE(store->put({&block, 1}).all_kept());
  }
  const auto size = std::filesystem::file_size(index(1));
  for (std::uint64_t at = 0; at < size; at += 13) {
    spoil(index(1), at);
    const auto store = open(64'000);
    EXPECT_EQ(store->counts().blocks, blocks.size()) << at;
    EXPECT_TRUE(holds(*store, blocks[0]));
    EXPECT_THAT(damage_, IsEmpty()) << "no block is lost with it";
  }
}

// A crash may leave any front part of an unsynced write, here of the second put.
TEST_F(PackStoreTest, CutsOffWhatACrashBrokeOffWhereverThatIs) {
  const std::vector<Block> blocks = random_blocks(3, 700);
  {
    const auto store = open();
    ASSERT_TRUE(store->put({blocks.data(), 1}).all_kept());
  }
  const auto kept = std::filesystem::file_size(pack(1));
  ASSERT_TRUE(open()->put({&blocks[1], 1}).all_kept());
  const auto whole = std::filesystem::file_size(pack(1));
  const auto copy = folder_.path() + "/copy";
  std::filesystem::copy_file(pack(1), copy);
  for (auto size = kept; size < whole; size += 7) {
    std::filesystem::copy_file(copy, pack(1), std::filesystem::copy_options::overwrite_existing);
    std::filesystem::resize_file(pack(1), size);
    const auto store = open();
    EXPECT_TRUE(holds(*store, blocks[0])) << size;
    EXPECT_FALSE(*store->has(blocks[1].cid())) << size;
    EXPECT_EQ(std::filesystem::file_size(pack(1)), kept);
    EXPECT_THAT(damage_, IsEmpty()) << "nobody was told that it is kept";
    ASSERT_TRUE(store->put({&blocks[2], 1}).all_kept());
    EXPECT_TRUE(holds(*store, blocks[2]));
  }
}

TEST_F(PackStoreTest, ADamagedByteCostsItsBlockAndNoOtherWhetherInHeadOrContent) {
  const std::vector<Block> blocks = random_blocks(4, 600);
  {
    const auto store = open();
    ASSERT_TRUE(store->put(blocks).all_kept());
  }
  const auto record = std::filesystem::file_size(pack(1)) / blocks.size();
  const auto copy = folder_.path() + "/copy";
  std::filesystem::copy_file(pack(1), copy);
  for (auto at = record; at < 2 * record; at += 5) {
    std::filesystem::copy_file(copy, pack(1), std::filesystem::copy_options::overwrite_existing);
    spoil(pack(1), at);
    const auto store = open();
    for (std::size_t i = 0; i < blocks.size(); ++i)
      EXPECT_EQ(holds(*store, blocks[i]), i != 1) << i << " at " << at;
    EXPECT_THAT(damage_, ElementsAre(StartsWith(pack(1) + " is damaged: " + std::to_string(record) +
                                                " bytes, the first at " + std::to_string(record))));
    ASSERT_TRUE(store->put({&blocks[1], 1}).all_kept());
    EXPECT_TRUE(holds(*store, blocks[1]));
  }
}

TEST_F(PackStoreTest, TellsOnceOfAPackThatWasCutShort) {
  const std::vector<Block> blocks = random_blocks(40, 10'000);
  {
    const auto store = open(64'000);
    for (const Block& block : blocks) ASSERT_TRUE(store->put({&block, 1}).all_kept());
  }
  const auto whole = std::filesystem::file_size(pack(2));
  for (const std::uint64_t left : {whole - 1, whole / 2, std::uint64_t{0}}) {
    std::filesystem::resize_file(pack(2), left);
    const auto lost_before = 40 - open(64'000)->counts().blocks;
    EXPECT_GT(lost_before, 0u);
    EXPECT_THAT(damage_, ElementsAre(StartsWith(pack(2) + " is damaged: "))) << left;
    const auto store = open(64'000);
    EXPECT_THAT(damage_, IsEmpty()) << "what is lost was told";
    EXPECT_EQ(store->counts().blocks, 40 - lost_before);
  }
}

TEST_F(PackStoreTest, APackIsAtMostAQuarterOfWhatTheStoreMayHold) {
  const std::vector<Block> blocks = random_blocks(70, 100'000);
  const auto store = open_pack_store(
      {.folder = folder_.path(), .capacity_bytes = 8'000'000, .reserve_bytes = 0, .listener = {}});
  for (const Block& block : blocks) ASSERT_TRUE((*store)->put({&block, 1}).all_kept());
  EXPECT_LE(std::filesystem::file_size(pack(1)), 2'000'000u);
  EXPECT_TRUE(std::filesystem::exists(pack(4)));
}

TEST_F(PackStoreTest, TellsABlockThatIsDamagedWhileItRuns) {
  const std::vector<Block> blocks = random_blocks(2, 600);
  const auto store = open();
  ASSERT_TRUE(store->put(blocks).all_kept());
  spoil(pack(1), 300);
  const auto found = store->get(blocks[0].cid());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, FaultKind::BadData);
  EXPECT_THAT(found.error().message, HasSubstr(pack(1)));
  ASSERT_TRUE(store->remove(std::vector{blocks[0].cid()}));
  ASSERT_TRUE(store->put({blocks.data(), 1}).all_kept());
  EXPECT_TRUE(holds(*store, blocks[0]));
}

// Somebody's block may look like records: it must not become any when what stands before it is damaged.
TEST_F(PackStoreTest, BelievesNoRecordsWithinABlock) {
  const Block victim = random_block(400, 1);
  const Block other = random_block(400, 2);
  const Bytes lie(400, 9);
  Bytes content = encode_pack_head(PackRecord::Kind::Removal, other.cid().multihash(), {});
  const Bytes fake = encode_pack_head(PackRecord::Kind::Block, victim.cid().multihash(), lie);
  content.insert(content.end(), fake.begin(), fake.end());
  content.insert(content.end(), lie.begin(), lie.end());
  const std::vector<Block> blocks{other, named_block(content), random_block(400, 3)};
  ASSERT_TRUE(open()->put(blocks).all_kept());
  spoil(pack(1), encode_pack_head(PackRecord::Kind::Block, other.cid().multihash(), {}).size() + 400);
  const auto store = open();
  EXPECT_TRUE(holds(*store, blocks[0]));
  EXPECT_FALSE(*store->has(victim.cid()));
  EXPECT_TRUE(holds(*store, blocks[2]));
}

TEST_F(PackStoreTest, GivesDiskBackAndForgetsNoRemovalOverIt) {
  constexpr std::size_t count = 200;
  const std::vector<Block> blocks = random_blocks(count, 1000);
  std::map<Multihash, bool> wanted;
  const auto check = [&](BlockStore& store) {
    for (const Block& block : blocks) ASSERT_EQ(holds(store, block), wanted[block.cid().multihash()]);
  };
  Prng prng(11);
  auto store = open(8000);
  for (int round = 0; round < 3000; ++round) {
    const Block& block = blocks[prng.below(count)];
    bool& is_wanted = wanted[block.cid().multihash()];
    is_wanted = prng.chance(1, 3);
    const bool done =
        is_wanted ? store->put({&block, 1}).all_kept() : store->remove(std::vector{block.cid()}).has_value();
    ASSERT_TRUE(done);
    if (round % 250 != 0) continue;
    store.reset();
    store = open(8000);
    check(*store);
  }
  check(*store);
  const ByteCount bytes = store->counts().bytes;
  EXPECT_LE(disk_bytes(), 3 * bytes + 2 * 8000) << "of " << bytes;
}

TEST_F(PackStoreTest, DeletesEveryPackButTheNewestOnceNothingIsWanted) {
  const std::vector<Block> blocks = random_blocks(60, 1000);
  const auto store = open(8000);
  for (const Block& block : blocks) ASSERT_TRUE(store->put({&block, 1}).all_kept());
  for (const Block& block : blocks) ASSERT_TRUE(store->remove(std::vector{block.cid()}));
  EXPECT_EQ(store->counts().blocks, 0u);
  EXPECT_LE(disk_bytes(), 3 * 8000u);
}

TEST_F(PackStoreTest, EmptiesAPackAroundABlockThatIsDamagedAndTellsThatItIsGone) {
  std::vector<BlockKey> gone;
  auto store = open_pack_store(
      {.folder = folder_.path(),
       .reserve_bytes = 0,
       .listener = [&](auto, auto removed) { gone.insert(gone.end(), removed.begin(), removed.end()); }},
      5000);
  const std::vector<Block> blocks = random_blocks(8, 1000);
  for (const Block& block : blocks) ASSERT_TRUE((*store)->put({&block, 1}).all_kept());
  spoil(pack(1), 500);  // of the first block
  ASSERT_TRUE((*store)->remove(std::vector{blocks[1].cid(), blocks[2].cid()}));
  EXPECT_FALSE(std::filesystem::exists(pack(1)));
  EXPECT_FALSE(*(*store)->has(blocks[0].cid()));
  EXPECT_TRUE(holds(**store, blocks[3]));
  EXPECT_EQ(gone.size(), 3u);
}

TEST_F(PackStoreTest, SaysInOneLineThatAnotherHasIt) {
  const auto store = open();
  const auto second = open_pack_store({.folder = folder_.path(), .listener = {}});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, FaultKind::TryAgain);
  EXPECT_EQ(second.error().message,
            "the block store in " + folder_.path() +
                " is in use by another process; stop that one or choose another folder");
}

TEST_F(PackStoreTest, LeavesTheDisksReserveFree) {
  auto store =
      open_pack_store({.folder = folder_.path(), .reserve_bytes = ByteCount{1} << 60, .listener = {}});
  const Block block = random_block(100, 1);
  const PutReport report = (*store)->put({&block, 1});
  EXPECT_THAT(report.answers, ElementsAre(PutAnswer::NoRoom));
  EXPECT_THAT(report.reason, HasSubstr("the disk of the block store"));
}

TEST_F(PackStoreTest, AFolderKeepsTheKindOfStoreItHas) {
  for (const StoreKind kind : {StoreKind::Pack, StoreKind::RocksDb}) {
    const TestFolder folder;
    EXPECT_EQ(store_in(folder.path()), std::nullopt);
    const Block block = random_block(100, 1);
    const DiskStoreOptions options{.folder = folder.path(), .reserve_bytes = 0, .listener = {}};
    ASSERT_TRUE((*open_disk_store(kind, options))->put({&block, 1}).all_kept());
    EXPECT_EQ(store_in(folder.path()), kind);
    EXPECT_TRUE(holds(**open_disk_store(std::nullopt, options), block));
    const StoreKind other = kind == StoreKind::Pack ? StoreKind::RocksDb : StoreKind::Pack;
    const auto refused = open_disk_store(other, options);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, FaultKind::BadUsage);
    EXPECT_THAT(refused.error().message, HasSubstr(std::string(to_text(kind))));
  }
  EXPECT_EQ(parse_store_kind("paper").error().kind, FaultKind::BadUsage);
}

}  // namespace
}  // namespace cidbus
