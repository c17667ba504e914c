// Real content through the whole way: imported, spread, read back, replicated.

#include "shared/exchange/network_blocks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "shared/content/dag_walk.h"
#include "shared/content/importer.h"
#include "shared/content/reader.h"
#include "shared/exchange/test_cluster.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;
using testing::Each;
using testing::HasSubstr;
using testing::SizeIs;

class Network : public testing::Test {
 protected:
  TestNode& add_node(const std::string& name, ByteCount capacity = 1 << 30) {
    return *nodes_.emplace_back(std::make_unique<TestNode>(context_, index_, name, capacity));
  }
  std::unique_ptr<NetworkBlocks> make_blocks(const std::string& name, BlockStore* own = nullptr,
                                             Duration timeout = 30s) {
    NetworkBlocksOptions options;
    options.timeout = timeout;
    options.client.room_patience = 20ms;
    caches_.push_back(std::make_unique<MemoryStore>(64 << 20, WhenFull::Evict));
    return std::make_unique<NetworkBlocks>(context_, index_, test_node(name), options, own, *caches_.back());
  }
  static Cid import(BlockSink& sink, const Bytes& content) {
    ImportProfile profile = unixfs_v1_2025;
    profile.chunk_bytes = 10'000;
    profile.width = 8;
    Importer importer(profile, sink);
    MemorySource source(content);
    const auto node = importer.add_file(source);
    EXPECT_TRUE(node) << node.error().message;
    return node ? node->cid : Cid();
  }
  static std::vector<Cid> blocks_of(BlockSource& source, const Cid& root) {
    std::vector<Cid> cids;
    const Status walked = walk_cids(source, root, [&](const Cid& cid) {
      cids.push_back(cid);
      return Status();
    });
    EXPECT_TRUE(walked) << walked.error().message;
    return cids;
  }
  std::vector<std::size_t> copies_of(const std::vector<Cid>& cids) {
    std::vector<std::size_t> copies;
    for (const Cid& cid : cids) {
      copies.push_back(0);
      for (const auto& node : nodes_) copies.back() += *node->store().has(cid) ? 1 : 0;
    }
    return copies;
  }

  SocketContext context_;
  TestIndex index_;
  std::vector<std::unique_ptr<TestNode>> nodes_;
  std::vector<std::unique_ptr<MemoryStore>> caches_;
};

class Collected final : public ByteSink {
 public:
  Status write(ByteView more) override {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return {};
  }
  Bytes bytes;
};

TEST_F(Network, BringsAFileBackFromWhereAnotherPutIt) {
  for (const char* name : {"w1", "w2", "w3"}) add_node(name);
  const Bytes content = random_bytes(2'000'000, 1);
  const auto writer = make_blocks("writer");
  const Cid root = import(*writer, content);
  ASSERT_TRUE(writer->flush());
  EXPECT_THAT(copies_of(blocks_of(*writer, root)), Each(2u));

  const auto reader = make_blocks("reader");
  Collected collected;
  const auto read = Reader(*reader).read(root, {}, collected);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(collected.bytes, content);
  EXPECT_LT(index_.finds(), 100) << "prefetch asks for many at once";
}

TEST_F(Network, SurvivesTheDeathOfEitherHolder) {
  for (const char* name : {"w1", "w2"}) add_node(name);
  const auto writer = make_blocks("writer");
  const Cid root = import(*writer, random_bytes(500'000, 1));
  ASSERT_TRUE(writer->flush());
  for (const auto& node : nodes_) {
    node->stop();
    const auto reader = make_blocks("reader");
    const Status read = walk_blocks(*reader, root, [](const Block&) { return Status(); });
    EXPECT_TRUE(read) << node->name() << ": " << read.error().message;
    node->restart();
  }
}

TEST_F(Network, AnswersFromItsOwnStoreAndCacheWithoutAskingAnybody) {
  TestNode& own = add_node("w1");
  const Block mine = random_block(1000, 1);
  ASSERT_TRUE(own.store().put({&mine, 1}).all_kept());
  TestNode& other = add_node("w2");
  const Block theirs = random_block(1000, 2);
  ASSERT_TRUE(other.store().put({&theirs, 1}).all_kept());
  const auto blocks = make_blocks("w1", &own.store());
  EXPECT_TRUE(blocks->get(mine.cid()));
  EXPECT_EQ(index_.finds(), 0);
  EXPECT_TRUE(blocks->get(theirs.cid()));
  other.stop();
  EXPECT_TRUE(blocks->get(Cid::v1(Codec::DagPb, theirs.cid().multihash())));
  const Bytes content{'h', 'i'};
  EXPECT_TRUE(blocks->get(Cid::v1(Codec::Raw, *hash_content(HashCode::Identity, content))));
  EXPECT_EQ(index_.finds(), 1);
}

TEST_F(Network, SaysThatNoNodeHoldsABlockWithinTheTimeGiven) {
  add_node("w1");
  const auto blocks = make_blocks("reader", nullptr, 50ms);
  const Cid cid = random_block(1, 1).cid();
  const auto got = blocks->get(cid);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().kind, FaultKind::NotFound);
  EXPECT_THAT(got.error().message, HasSubstr("no node holds " + to_text(cid)));
}

TEST_F(Network, KeepsACopyItselfAndSyncsOneElsewhere) {
  TestNode& own = add_node("w1");
  for (const char* name : {"w2", "w3"}) add_node(name);
  const auto blocks = make_blocks("w1", &own.store());
  const Cid root = import(*blocks, random_bytes(500'000, 1));
  ASSERT_TRUE(blocks->flush());
  const auto cids = blocks_of(*blocks, root);
  EXPECT_THAT(copies_of(cids), Each(2u));
  for (const Cid& cid : cids) EXPECT_TRUE(*own.store().has(cid));
}

TEST_F(Network, SaysThatItsOwnStoreIsFullAndStoresAgainOnceThereIsRoom) {
  TestNode& own = add_node("w1", 100'000);
  add_node("w2");
  const auto blocks = make_blocks("w1", &own.store());
  const Block large = random_block(200'000, 1);
  ASSERT_TRUE(blocks->put(large.cid(), large.bytes()));
  const Status flushed = blocks->flush();
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().kind, FaultKind::TryAgain);
  const Block small = random_block(1000, 2);
  ASSERT_TRUE(blocks->put(small.cid(), small.bytes()));
  EXPECT_TRUE(blocks->flush());
}

TEST_F(Network, ReplicatesWhatIsHereAloneAndFetchesWhatIsElsewhereAlone) {
  TestNode& own = add_node("w1");
  TestNode& other = add_node("w2");
  add_node("w3");
  const auto writer = make_blocks("writer");
  const Cid root = import(*writer, random_bytes(500'000, 1));
  ASSERT_TRUE(writer->flush());
  const auto cids = blocks_of(*writer, root);
  ASSERT_THAT(cids, SizeIs(testing::Gt(50u)));
  // Of three in a row: here and there, here alone, there alone.
  for (std::size_t i = 0; i < cids.size(); ++i) {
    if (i % 3 == 0) continue;
    BlockStore& loser = i % 3 == 1 ? other.store() : own.store();
    ASSERT_TRUE(loser.remove({&cids[i], 1}));
  }
  const auto blocks = make_blocks("w1", &own.store());
  const Status replicated = blocks->replicate(root);
  ASSERT_TRUE(replicated) << replicated.error().message;
  EXPECT_THAT(copies_of(cids), Each(2u));
  for (const Cid& cid : cids) EXPECT_TRUE(*own.store().has(cid));

  const std::uint64_t stored = other.counts().blocks_stored;
  ASSERT_TRUE(blocks->replicate(root));
  EXPECT_EQ(other.counts().blocks_stored, stored) << "what is replicated is left alone";
}

TEST_F(Network, ReplicatesOnlyWhatExists) {
  TestNode& own = add_node("w1");
  const auto blocks = make_blocks("w1", &own.store(), 50ms);
  const Status replicated = blocks->replicate(random_block(10, 1).cid());
  ASSERT_FALSE(replicated);
  EXPECT_EQ(replicated.error().kind, FaultKind::NotFound);
}

// A store whose every read finds damage.
class DamagedStore final : public MemoryStore {
 public:
  using MemoryStore::MemoryStore;
  Result<std::optional<Block>> get(const Cid& cid, Check check) override {
    auto found = MemoryStore::get(cid, check);
    if (found && *found) return fault(FaultKind::BadData, "damaged");
    return found;
  }
};

TEST_F(Network, FetchesAnewWhatIsDamagedInItsOwnStore) {
  const Block block = random_block(1000, 1);
  ASSERT_TRUE(add_node("w2").store().put({&block, 1}).all_kept());
  DamagedStore own(1 << 20, WhenFull::Refuse);
  ASSERT_TRUE(own.put({&block, 1}).all_kept());
  const auto blocks = make_blocks("w1", &own);
  EXPECT_TRUE(blocks->get(block.cid()));
  EXPECT_FALSE(*own.has(block.cid())) << "let go, so that it can be stored again";
}

TEST_F(Network, ServesADamagedBlockFromNowhereAndLetsItGo) {
  const Block block = random_block(1000, 1);
  auto owned = std::make_unique<DamagedStore>(
      1 << 20, WhenFull::Refuse, [this](auto added, auto removed) { index_.announce("w1", added, removed); });
  ASSERT_TRUE(owned->put({&block, 1}).all_kept());
  TestNode node(context_, index_, "w1", std::move(owned));
  ASSERT_TRUE(add_node("w2").store().put({&block, 1}).all_kept());
  const auto blocks = make_blocks("reader");
  EXPECT_TRUE(blocks->get(block.cid()));
  EXPECT_EQ(node.counts().damaged, 1u);
  EXPECT_EQ(index_.holders_of(block.cid()), std::set<std::string>{"w2"});
}

}  // namespace
}  // namespace cidbus
