#include "shared/content/reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "shared/base/prng.h"
#include "shared/content/importer.h"
#include "shared/content/test_blocks.h"
#include "shared/content/test_support.h"

namespace cidbus {
namespace {

using content_test::cid_of;
using content_test::CollectingSink;
using content_test::file_block;
using content_test::from_hex;
using content_test::MapStore;
using content_test::pattern_bytes;
using content_test::PatternSource;
using content_test::small_profile;

ImportedNode import_pattern(MapStore& store, const ImportProfile& profile, ByteCount size) {
  Importer importer(profile, store);
  PatternSource source(size);
  auto node = importer.add_file(source);
  EXPECT_TRUE(node);
  store.order.clear();
  return *node;
}

Result<Bytes> read_all(Reader& reader, const Cid& cid, ByteRange range = {}) {
  CollectingSink sink;
  const auto count = reader.read(cid, range, sink);
  if (!count) return tl::unexpected(count.error());
  EXPECT_EQ(*count, sink.content.size());
  return sink.content;
}

ContentPath path_of(const Cid& root, std::vector<std::string> segments) {
  return {root, std::move(segments)};
}

TEST(Reader, GivesBackWhatWasImportedAtEveryBoundary) {
  for (const ImportProfile& profile : {small_profile(0), small_profile(1)}) {
    for (const ByteCount size : {0, 1, 3, 4, 5, 11, 12, 13, 35, 36, 37, 107, 108, 109, 323, 324, 325, 1000}) {
      MapStore store;
      const auto node = import_pattern(store, profile, size);
      Reader reader(store);
      EXPECT_EQ(read_all(reader, node.cid), pattern_bytes(0, size)) << profile.cid_version << ' ' << size;
      const auto stat = reader.stat(node.cid);
      ASSERT_TRUE(stat);
      EXPECT_EQ(stat->kind, NodeKind::File);
      EXPECT_EQ(stat->size, size);
      EXPECT_EQ(stat->cumulative_size, node.tsize);
    }
  }
  for (const ImportProfile& profile : {unixfs_v1_2025, unixfs_v0_2015, kubo_cidv1_raw_256k}) {
    for (const ByteCount over : {0, 1}) {
      MapStore store;
      const ByteCount size = profile.chunk_bytes * 3 + over;
      const auto node = import_pattern(store, profile, size);
      Reader reader(store);
      EXPECT_EQ(read_all(reader, node.cid), pattern_bytes(0, size));
    }
  }
}

TEST(Reader, AnyStretchTouchesOnlyTheBlocksThatHoldIt) {
  MapStore store;
  const auto node = import_pattern(store, small_profile(1), 1000);
  Reader reader(store);
  Prng prng(4);
  for (int round = 0; round < 2000; ++round) {
    const ByteCount offset = prng.below(1010);
    const ByteCount length = prng.chance(1, 5) ? prng() : prng.below(50);
    const ByteCount begin = std::min<ByteCount>(offset, 1000);
    const ByteCount end = begin + std::min<ByteCount>(length, 1000 - begin);
    store.asked.clear();
    store.hinted.clear();
    ASSERT_EQ(read_all(reader, node.cid, {offset, length}), pattern_bytes(begin, end))
        << offset << ' ' << length;
    const auto leaves = std::count_if(store.asked.begin(), store.asked.end(),
                                      [](const Cid& cid) { return cid.codec() == Codec::Raw; });
    const ByteCount needed = begin == end ? 0 : (end - 1) / 4 - begin / 4 + 1;
    ASSERT_EQ(static_cast<ByteCount>(leaves), needed) << offset << ' ' << length;
    ASSERT_LE(store.asked.size(), needed * 2 + 12) << "the nodes above them, no more";
    for (const Cid& hint : store.hinted) {
      ASSERT_NE(std::find(store.asked.begin(), store.asked.end(), hint), store.asked.end())
          << "hinted for nothing";
    }
  }
}

TEST(Reader, MissingBlocksOutsideTheStretchDoNoHarm) {
  MapStore store;
  const auto node = import_pattern(store, small_profile(1), 1000);
  Reader reader(store);
  ASSERT_TRUE(read_all(reader, node.cid, {500, 20}));
  std::set<Cid> needed;
  store.asked.clear();
  ASSERT_TRUE(read_all(reader, node.cid, {500, 20}));
  for (const Cid& cid : store.asked) needed.insert(cid);
  std::erase_if(store.blocks, [&](const auto& item) { return !needed.contains(item.second.cid()); });
  EXPECT_EQ(read_all(reader, node.cid, {500, 20}), pattern_bytes(500, 520));
  const auto whole = read_all(reader, node.cid);
  ASSERT_FALSE(whole);
  EXPECT_EQ(whole.error().kind, FaultKind::NotFound);
  EXPECT_TRUE(whole.error().message.starts_with("nobody has block baf")) << whole.error().message;
}

// A source that watches how far ahead of the reader hints run.
class HintWatch final : public BlockSource {
 public:
  explicit HintWatch(MapStore& store) : store_(store) {}
  Result<Block> get(const Cid& cid) override {
    auto block = store_.get(cid);
    if (block && hinted_.contains(cid)) {
      ahead_ -= block->bytes().size();
      ++hits;
    }
    return block;
  }
  void prefetch(std::span<const Cid> cids) override {
    ++batches;
    for (const Cid& cid : cids) {
      EXPECT_TRUE(hinted_.insert(cid).second) << "hinted twice";
      ahead_ += store_.blocks.at(cid.multihash()).bytes().size();
    }
    most_ahead = std::max(most_ahead, ahead_);
  }
  int hits = 0;
  int batches = 0;
  ByteCount most_ahead = 0;

 private:
  MapStore& store_;
  std::set<Cid> hinted_;
  ByteCount ahead_ = 0;
};

TEST(Reader, HintsUpcomingLeavesWithinAWindowAndInBatches) {
  MapStore store;
  const ByteCount chunk = unixfs_v1_2025.chunk_bytes;
  const auto node = import_pattern(store, unixfs_v1_2025, 60 * chunk);
  HintWatch watch(store);
  Reader reader(watch);
  class Discard final : public ByteSink {
    Status write(ByteView) override { return {}; }
  } sink;
  ASSERT_EQ(reader.read(node.cid, {}, sink), 60 * chunk);
  EXPECT_EQ(watch.hits, 60);
  EXPECT_LE(watch.batches, 8);
  EXPECT_GT(watch.most_ahead, limits::prefetch_bytes / 2);
  EXPECT_LE(watch.most_ahead, limits::prefetch_bytes + chunk);
}

TEST(Reader, ASinkThatFailsEndsTheRead) {
  MapStore store;
  const auto node = import_pattern(store, small_profile(1), 100);
  class Full final : public ByteSink {
    Status write(ByteView) override { return fault(FaultKind::TryAgain, "no room"); }
  } sink;
  Reader reader(store);
  EXPECT_EQ(reader.read(node.cid, {}, sink).error().message, "no room");
}

TEST(Reader, ReadsIdentityBlocksOutOfTheirNames) {
  MapStore store;
  Reader reader(store);
  EXPECT_EQ(as_text(*read_all(reader, cid_of("bafkqabtimvwgy3yk"))), "hello\n");
  EXPECT_EQ(read_all(reader, cid_of("bafkqaaa"))->size(), 0U);
  EXPECT_EQ(reader.stat(cid_of("bafkqabtimvwgy3yk"))->size, 6U);
  const DagPbLink links[] = {{cid_of("bafkqabtimvwgy3yk"), "", 6}, {cid_of("bafkqabtimvwgy3yk"), "", 6}};
  UnixFsData data;
  data.file_size = 12;
  data.block_sizes = {6, 6};
  const Cid root =
      Cid::v1(Codec::DagPb, *hash_content(HashCode::Identity, encode_dag_pb(links, encode_unixfs(data))));
  EXPECT_EQ(as_text(*read_all(reader, root)), "hello\nhello\n");
  EXPECT_TRUE(store.asked.empty());
  EXPECT_TRUE(store.hinted.empty());
}

TEST(Reader, ReadsDataThatStandsBeforeTheLinksAndLegacyRawLeaves) {
  MapStore store;
  const Cid leaf = store.put_dag_pb(file_block({.type = UnixFsType::Raw, .data = "world"}));
  const Cid old_leaf = store.put_dag_pb(file_block({.data = "!", .file_size = std::nullopt}));
  const Cid root = store.put_dag_pb(
      file_block({.data = "hello ", .links = {leaf, old_leaf}, .sizes = {5, 1}, .file_size = 12}));
  Reader reader(store);
  EXPECT_EQ(as_text(*read_all(reader, root)), "hello world!");
  EXPECT_EQ(as_text(*read_all(reader, root, {4, 4})), "o wo");
  EXPECT_EQ(reader.stat(root)->links, 2U);
}

TEST(Reader, RefusesFilesWhoseBlocksContradictEachOther) {
  MapStore store;
  const Cid five = store.put_raw(as_bytes("12345"));
  const Cid folder = store.put_dag_pb(from_hex("0a020801"));
  const ByteCount half = 1ULL << 62;
  struct Bad {
    const char* why;
    Bytes block;
  };
  for (const Bad& bad : {
           Bad{"its links and sizes do not match", file_block({.links = {five, five}, .sizes = {5}})},
           Bad{"its links and sizes do not match", file_block({.sizes = {5}, .file_size = 5})},
           Bad{"it says 6 bytes and holds 5", file_block({.links = {five}, .sizes = {5}, .file_size = 6})},
           Bad{"it says 0 bytes and holds 2", file_block({.data = "ab", .file_size = 0})},
           Bad{"a part of a file has a name", file_block({.links = {five}, .sizes = {5}, .link_name = "x"})},
           Bad{"it holds 5 bytes where", file_block({.links = {five}, .sizes = {6}, .file_size = 6})},
           Bad{"a part of a file is a folder", file_block({.links = {folder}, .sizes = {4}, .file_size = 4})},
           Bad{"its sizes add up to too much",
               file_block({.links = {five, five, five, five}, .sizes = {half, half, half, half}})},
           Bad{"UnixFS metadata nodes", file_block({.type = UnixFsType::Metadata})},
           Bad{"a symlink without a target", file_block({.type = UnixFsType::Symlink})},
           Bad{"NUL byte", file_block({.type = UnixFsType::Symlink, .data = std::string("a\0b", 3)})},
           Bad{"without UnixFS data", encode_dag_pb({}, std::nullopt)},
           Bad{"not UnixFS", encode_dag_pb({}, as_bytes("garbage"))},
           Bad{"not a dag-pb block", from_hex("ff")},
       }) {
    Reader reader(store);
    const Cid cid = store.put_dag_pb(bad.block);
    const auto content = read_all(reader, cid);
    ASSERT_FALSE(content) << bad.why;
    EXPECT_EQ(content.error().kind, FaultKind::BadData);
    EXPECT_NE(content.error().message.find(bad.why), std::string::npos) << content.error().message;
    EXPECT_TRUE(content.error().message.starts_with("block b")) << content.error().message;
  }
}

TEST(Reader, AFileDeeperThanTheBoundIsRefused) {
  MapStore store;
  Cid cid = store.put_raw(as_bytes("x"));
  Reader reader(store);
  for (std::size_t level = 1; level <= limits::dag_depth; ++level) {
    cid = store.put_dag_pb(file_block({.links = {cid}, .sizes = {1}, .file_size = 1}));
  }
  EXPECT_EQ(as_text(*read_all(reader, cid)), "x");
  cid = store.put_dag_pb(file_block({.links = {cid}, .sizes = {1}, .file_size = 1}));
  const auto content = read_all(reader, cid);
  ASSERT_FALSE(content);
  EXPECT_NE(content.error().message.find("deeper than 64 levels"), std::string::npos)
      << content.error().message;
}

TEST(Reader, LinksWithoutBytesCostNothing) {
  MapStore store;
  // 1000^60 paths, all of size nothing.
  Cid cid = store.put_raw({});
  for (int level = 0; level < 60; ++level) {
    cid = store.put_dag_pb(file_block(
        {.links = std::vector<Cid>(1000, cid), .sizes = std::vector<ByteCount>(1000), .file_size = 0}));
  }
  Reader reader(store);
  store.asked.clear();
  EXPECT_EQ(read_all(reader, cid)->size(), 0U);
  EXPECT_EQ(store.asked.size(), 1U);
}

TEST(Reader, OtherCodecsAreNamedAndRefused) {
  MapStore store;
  const Cid cid = Cid::v1(Codec::DagCbor, sha2_256(from_hex("a0")));
  ASSERT_TRUE(store.put(cid, from_hex("a0")));
  const auto stat = Reader(store).stat(cid);
  ASSERT_FALSE(stat);
  EXPECT_EQ(stat.error().message,
            "block " + to_text(cid) + ": dag-cbor is neither a file nor a folder; dag-pb and raw are");
}

class PathReading : public testing::Test {
 protected:
  PathReading() : importer_(unixfs_v1_2025, store_), reader_(store_) {
    MemorySource hello(as_bytes("hello"));
    file_ = *importer_.add_file(hello);
    link_ = *importer_.add_symlink("../elsewhere");
    inner_ =
        *importer_.add_directory({{"hello.txt", file_.cid, file_.tsize}, {"link", link_.cid, link_.tsize}});
    root_ = *importer_.add_directory({{"a b", inner_.cid, inner_.tsize}, {"\u0105", file_.cid, file_.tsize}});
  }
  MapStore store_;
  Importer importer_;
  Reader reader_;
  ImportedNode file_, link_, inner_, root_;
};

TEST_F(PathReading, ResolvesToTheCidOfEachSegment) {
  EXPECT_EQ(reader_.resolve(path_of(root_.cid, {"a b", "hello.txt"})),
            (std::vector<Cid>{root_.cid, inner_.cid, file_.cid}));
  EXPECT_EQ(reader_.resolve(path_of(root_.cid, {"\u0105"})), (std::vector<Cid>{root_.cid, file_.cid}));
  EXPECT_EQ(reader_.resolve(path_of(root_.cid, {"a b", "link"}))->back(), link_.cid)
      << "a link as the end is fine";
  store_.asked.clear();
  EXPECT_EQ(reader_.resolve(path_of(root_.cid, {})), std::vector<Cid>{root_.cid});
  EXPECT_TRUE(store_.asked.empty());
}

TEST_F(PathReading, SaysWhichPartIsNotThere) {
  const std::string root = to_text(root_.cid);
  struct Bad {
    std::vector<std::string> segments;
    std::string message;
  };
  for (const Bad& bad : {
           Bad{{"x"}, "no 'x' in '" + root + "'"},
           Bad{{"a b", "y", "z"}, "no 'y' in '" + root + "/a b'"},
           Bad{{".."}, "no '..' in '" + root + "'"},
           Bad{{"a b", "hello.txt", "z"}, "'" + root + "/a b/hello.txt' is a file, so there is no 'z' in it"},
           Bad{{"a b", "link", "z"},
               "'" + root +
                   "/a b/link' is a symlink to '../elsewhere'; symlinks are not followed, "
                   "so ask for the target's own path"},
       }) {
    const auto resolved = reader_.resolve(path_of(root_.cid, bad.segments));
    ASSERT_FALSE(resolved) << bad.message;
    EXPECT_EQ(resolved.error().kind, FaultKind::NotFound);
    EXPECT_EQ(resolved.error().message, bad.message);
  }
}

TEST_F(PathReading, TellsFilesFoldersAndSymlinksApart) {
  EXPECT_EQ(reader_.stat(root_.cid)->kind, NodeKind::Directory);
  EXPECT_EQ(reader_.stat(root_.cid)->cumulative_size, root_.tsize);
  EXPECT_EQ(reader_.stat(root_.cid)->links, 2U);
  EXPECT_EQ(reader_.stat(link_.cid)->kind, NodeKind::Symlink);
  EXPECT_EQ(*reader_.read_symlink(link_.cid), "../elsewhere");
  CollectingSink sink;
  EXPECT_EQ(reader_.read(root_.cid, {}, sink).error().message,
            to_text(root_.cid) + " is a folder, and a file was asked for");
  EXPECT_EQ(reader_.read(link_.cid, {}, sink).error().kind, FaultKind::BadUsage);
  EXPECT_FALSE(reader_.read_symlink(file_.cid));
  EXPECT_FALSE(reader_.list(file_.cid, [](const ListedEntry&) { return Visit::Continue; }));
}

TEST(Reader, MutatedDagsEndInAFaultOrAnAnswer) {
  MapStore valid;
  const auto node = import_pattern(valid, small_profile(0), 200);
  std::vector<Cid> cids;
  for (const auto& [multihash, block] : valid.blocks) cids.push_back(block.cid());
  std::sort(cids.begin(), cids.end());
  Prng prng(9);
  int faults = 0;
  for (int round = 0; round < 20'000; ++round) {
    MapStore store = valid;
    const Cid& victim = cids[prng.below(cids.size())];
    Bytes bytes = to_bytes(store.blocks.at(victim.multihash()).bytes());
    for (std::uint64_t changes = prng.between(1, 2); changes > 0; --changes) {
      bytes[prng.below(bytes.size())] = static_cast<std::uint8_t>(prng());
    }
    store.blocks.at(victim.multihash()) =
        Block(victim, std::move(bytes));  // as if the source had not checked it
    Reader reader(store);
    const auto content = read_all(reader, node.cid);
    if (content) {
      ASSERT_LE(content->size(), 1000U);
    } else {
      ++faults;
    }
  }
  EXPECT_GT(faults, 5'000);
}

}  // namespace
}  // namespace cidbus
