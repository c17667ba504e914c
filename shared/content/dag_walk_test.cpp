#include "shared/content/dag_walk.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "shared/content/importer.h"
#include "shared/content/test_blocks.h"
#include "shared/content/test_support.h"

namespace cidbus {
namespace {

using content_test::cid_of;
using content_test::file_block;
using content_test::from_hex;
using content_test::MapStore;
using content_test::PatternSource;
using content_test::small_profile;

Result<std::vector<Cid>> cids_of(BlockSource& source, const Cid& root) {
  std::vector<Cid> cids;
  const auto walked = walk_cids(source, root, [&](const Cid& cid) {
    cids.push_back(cid);
    return Status();
  });
  if (!walked) return tl::unexpected(walked.error());
  return cids;
}

Result<std::vector<Cid>> blocks_of(BlockSource& source, const Cid& root) {
  std::vector<Cid> cids;
  const auto walked = walk_blocks(source, root, [&](const Block& block) {
    EXPECT_TRUE(verify(block.cid(), block.bytes()));
    cids.push_back(block.cid());
    return Status();
  });
  if (!walked) return tl::unexpected(walked.error());
  return cids;
}

class Walking : public testing::Test {
 protected:
  // A folder with two files, one of them twice.
  Walking() : importer_(small_profile(1), store_) {
    PatternSource long_content(100);
    const auto long_file = *importer_.add_file(long_content);
    PatternSource short_content(3);
    const auto short_file = *importer_.add_file(short_content);
    root_ =
        importer_.add_directory({{"a", long_file.cid, 1}, {"b", short_file.cid, 1}, {"c", long_file.cid, 1}})
            ->cid;
    put_ = store_.order;
    store_.asked.clear();
  }
  MapStore store_;
  Importer importer_;
  Cid root_;
  std::vector<Cid> put_;
};

TEST_F(Walking, GivesEveryBlockOnceParentsFirst) {
  const auto cids = cids_of(store_, root_);
  ASSERT_TRUE(cids);
  EXPECT_EQ(cids->front(), root_);
  EXPECT_EQ(std::set<Cid>(cids->begin(), cids->end()).size(), cids->size());
  EXPECT_EQ(std::set<Cid>(cids->begin(), cids->end()), std::set<Cid>(put_.begin(), put_.end()));
  EXPECT_EQ(*blocks_of(store_, root_), *cids);
}

TEST_F(Walking, FetchesNoLeavesForCidsAndEachBlockOnceForBlocks) {
  const std::size_t count = cids_of(store_, root_)->size();
  for (const Cid& cid : store_.asked) EXPECT_EQ(cid.codec(), Codec::DagPb);
  for (const Cid& cid : store_.hinted) EXPECT_EQ(cid.codec(), Codec::DagPb);
  store_.asked.clear();
  ASSERT_TRUE(blocks_of(store_, root_));
  EXPECT_EQ(store_.asked.size(), count);
}

TEST_F(Walking, AVisitorMayBringTheBlocksAsItIsToldOfThem) {
  MapStore copy;
  const auto walked = walk_cids(copy, root_, [&](const Cid& cid) {
    const auto block = store_.get(cid);
    return block ? copy.put(cid, block->bytes()) : Status(tl::unexpected(block.error()));
  });
  ASSERT_TRUE(walked) << walked.error().message;
  EXPECT_EQ(copy.blocks.size(), store_.blocks.size());
}

TEST_F(Walking, AMissingBlockAndAVisitorsFaultEndTheWalk) {
  const auto stopped =
      walk_cids(store_, root_, [](const Cid&) { return Status(fault(FaultKind::Failed, "enough")); });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().message, "enough");
  store_.blocks.erase(put_.front().multihash());
  const auto blocks = blocks_of(store_, root_);
  ASSERT_FALSE(blocks);
  EXPECT_EQ(blocks.error().kind, FaultKind::NotFound);
  EXPECT_TRUE(cids_of(store_, root_)) << "the leaf is named all the same";
}

TEST_F(Walking, MeasuresWhatTheBlocksTake) {
  const auto size = measure_dag(store_, root_);
  ASSERT_TRUE(size);
  EXPECT_EQ(size->blocks, store_.blocks.size());
  ByteCount bytes = 0;
  for (const auto& [multihash, block] : store_.blocks) bytes += block.bytes().size();
  EXPECT_EQ(size->bytes, bytes);
}

TEST(Walk, IdentityBlocksAreFollowedAndNotGiven) {
  MapStore store;
  const Cid leaf = store.put_raw(as_bytes("x"));
  const DagPbLink link{leaf, "x", 1};
  const Cid inner =
      Cid::v1(Codec::DagPb, *hash_content(HashCode::Identity, encode_dag_pb({&link, 1}, std::nullopt)));
  const Cid root =
      store.put_dag_pb(file_block({.links = {cid_of("bafkqabtimvwgy3yk"), inner}, .sizes = {6, 1}}));
  store.asked.clear();
  EXPECT_EQ(*cids_of(store, root), (std::vector<Cid>{root, leaf}));
  EXPECT_EQ(*blocks_of(store, root), (std::vector<Cid>{root, leaf}));
  EXPECT_EQ(std::count(store.asked.begin(), store.asked.end(), inner), 0);
  EXPECT_TRUE(cids_of(store, cid_of("bafkqaaa"))->empty());
}

TEST(Walk, ABlockUnderBothVersionsIsGivenOnce) {
  MapStore store;
  const Cid v1 = store.put_dag_pb(from_hex("0a020801"));
  const Cid root = store.put_dag_pb(file_block({.links = {v1, Cid::v0(v1.multihash())}}));
  EXPECT_EQ(cids_of(store, root)->size(), 2U);
}

TEST(Walk, ABlockUnderTwoCodecsIsFollowedUnderTheOneThatLinks) {
  MapStore store;
  const Cid leaf = store.put_raw(as_bytes("x"));
  const Cid node = store.put_dag_pb(file_block({.links = {leaf}, .sizes = {1}}));
  const Cid as_raw = Cid::v1(Codec::Raw, node.multihash());
  const Cid root = store.put_dag_pb(file_block({.links = {as_raw, node}}));
  EXPECT_EQ(*cids_of(store, root), (std::vector<Cid>{root, as_raw, node, leaf}));
}

TEST(Walk, OtherCodecsAreRefusedRatherThanTakenForLeaves) {
  MapStore store;
  const Cid cbor = Cid::v1(Codec::DagCbor, sha2_256(from_hex("a0")));
  ASSERT_TRUE(store.put(cbor, from_hex("a0")));
  const Cid root = store.put_dag_pb(file_block({.links = {cbor}}));
  const auto cids = cids_of(store, root);
  ASSERT_FALSE(cids);
  EXPECT_EQ(cids.error().message,
            "block " + to_text(cbor) + ": the links of dag-cbor are not followed here; dag-pb and raw are");
}

TEST(Walk, DepthIsBoundedAndSharedSubtreesAreNotWalkedTwice) {
  MapStore store;
  Cid cid = store.put_raw(as_bytes("x"));
  for (std::size_t level = 0; level < limits::dag_depth; ++level) {
    cid = store.put_dag_pb(file_block({.links = std::vector<Cid>(500, cid)}));
  }
  EXPECT_EQ(cids_of(store, cid)->size(), limits::dag_depth + 1);
  cid = store.put_dag_pb(file_block({.links = {cid}}));
  const auto cids = cids_of(store, cid);
  ASSERT_FALSE(cids);
  EXPECT_NE(cids.error().message.find("a DAG deeper than 64 levels"), std::string::npos);
}

}  // namespace
}  // namespace cidbus
