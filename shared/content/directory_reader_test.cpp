#include "shared/content/directory_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "shared/base/prng.h"
#include "shared/content/car.h"
#include "shared/content/dag_walk.h"
#include "shared/content/importer.h"
#include "shared/content/posix_file.h"
#include "shared/content/reader.h"
#include "shared/content/test_blocks.h"
#include "shared/content/test_support.h"

namespace cidbus {
namespace {

using content_test::cid_of;
using content_test::CollectingSink;
using content_test::file_block;
using content_test::fixture;
using content_test::MapStore;

struct Entry {
  std::string name;
  Cid cid;
  ByteCount tsize;
  auto operator<=>(const Entry&) const = default;
};

Result<std::vector<Entry>> list_all(BlockSource& source, const Cid& cid) {
  std::vector<Entry> entries;
  Reader reader(source);
  const auto listed = reader.list(cid, [&](const ListedEntry& entry) {
    entries.push_back({std::string(entry.name), entry.cid, entry.tsize});
    return Visit::Continue;
  });
  if (!listed) return tl::unexpected(listed.error());
  return entries;
}

std::vector<DirectoryEntry> numbered(unsigned count) {
  std::vector<DirectoryEntry> entries;
  for (unsigned number = 0; number < count; ++number) {
    entries.push_back({"entry " + std::to_string(number), cid_of("bafkqaaa"), number});
  }
  return entries;
}

ImportProfile sharded_with(unsigned fanout) {
  ImportProfile profile = unixfs_v1_2025;
  profile.sharding_threshold = 0;
  profile.hamt_fanout = fanout;
  return profile;
}

TEST(DirectoryReader, ListsAndFindsEveryEntryFlatAndSharded) {
  for (const unsigned fanout : {0U, 8U, 16U, 256U, 1024U}) {
    for (const unsigned count : {0U, 1U, 2U, 257U, 3000U}) {
      MapStore store;
      const ImportProfile profile = fanout == 0 ? unixfs_v1_2025 : sharded_with(fanout);
      Importer importer(profile, store);
      const auto node = importer.add_directory(numbered(count));
      ASSERT_TRUE(node);
      auto entries = list_all(store, node->cid);
      ASSERT_TRUE(entries) << entries.error().message;
      std::sort(entries->begin(), entries->end());
      ASSERT_EQ(entries->size(), count);
      ASSERT_EQ(std::adjacent_find(entries->begin(), entries->end()), entries->end());
      const auto root = load_node(store, node->cid);
      EXPECT_EQ(root->shape.has_value(), fanout != 0);
      for (const Entry& entry : *entries) {
        store.asked.clear();
        ASSERT_EQ(*find_entry(store, *root, entry.name), entry.cid) << entry.name;
        ASSERT_LE(store.asked.size(), 12U) << "shards on the way only";
      }
      for (const char* name : {"", "entry", "entry -1", "entry 3001", "00", "AAentry 1"}) {
        ASSERT_EQ(*find_entry(store, *root, name), std::nullopt) << name;
      }
    }
  }
}

TEST(DirectoryReader, StopsWhenToldToAndPassesFaultsOn) {
  for (const ImportProfile& profile : {unixfs_v1_2025, sharded_with(16)}) {
    MapStore store;
    Importer importer(profile, store);
    const auto node = importer.add_directory(numbered(500));
    Reader reader(store);
    int seen = 0;
    EXPECT_TRUE(reader.list(node->cid,
                            [&](const ListedEntry&) { return ++seen == 7 ? Visit::Stop : Visit::Continue; }));
    EXPECT_EQ(seen, 7);
    const auto listed = reader.list(
        node->cid, [](const ListedEntry&) -> Result<Visit> { return fault(FaultKind::Failed, "enough"); });
    ASSERT_FALSE(listed);
    EXPECT_EQ(listed.error().message, "enough");
  }
}

TEST(DirectoryReader, HintsEveryShardBeforeItIsNeeded) {
  MapStore store;
  Importer importer(sharded_with(256), store);
  const auto node = importer.add_directory(numbered(20'000));
  store.asked.clear();
  ASSERT_EQ(list_all(store, node->cid)->size(), 20'000U);
  std::set<Cid> hinted(store.hinted.begin(), store.hinted.end());
  EXPECT_EQ(hinted.size(), store.hinted.size());
  int unhinted = 0;
  for (const Cid& cid : store.asked) unhinted += hinted.contains(cid) ? 0 : 1;
  EXPECT_EQ(hinted.size() + static_cast<std::size_t>(unhinted), store.asked.size());
  EXPECT_LT(unhinted, 100) << "the root, and shards that are alone in theirs";
}

// One shard made by hand: links named as given, bitfield and fanout as given.
Cid put_shard(MapStore& store, const std::vector<std::pair<std::string, Cid>>& entries, std::uint64_t fanout,
              Bytes bitfield, std::uint64_t hash_type = hamt_murmur3) {
  std::vector<DagPbLink> links;
  for (const auto& [name, cid] : entries) links.push_back({cid, name, 1});
  UnixFsData data;
  data.type = UnixFsType::HamtShard;
  data.data = bitfield;
  data.hash_type = hash_type;
  data.fanout = fanout;
  return store.put_dag_pb(encode_dag_pb(links, encode_unixfs(data)));
}

TEST(DirectoryReader, RefusesShardsThatContradictThemselves) {
  MapStore store;
  const Cid leaf = cid_of("bafkqaaa");
  const Cid flat = store.put_dag_pb(file_block({.type = UnixFsType::Directory}));
  const Cid empty = put_shard(store, {}, 256, {});
  const Cid other = put_shard(store, {{"0x", leaf}}, 8, {1});
  struct Bad {
    const char* why;
    Cid cid;
  };
  for (const Bad& bad : {
           Bad{"fanout that is not allowed", put_shard(store, {{"00x", leaf}}, 1 << 20, {1})},
           Bad{"fanout that is not allowed", put_shard(store, {{"00x", leaf}}, 12, {1})},
           Bad{"fanout that is not allowed", put_shard(store, {{"00x", leaf}}, 0, {1})},
           Bad{"unknown hash", put_shard(store, {{"00x", leaf}}, 256, {1}, 0x12)},
           Bad{"bitfield does not match", put_shard(store, {{"00x", leaf}}, 256, {3})},
           Bad{"bitfield does not match", put_shard(store, {{"00x", leaf}}, 256, {})},
           Bad{"bitfield does not match", put_shard(store, {{"00x", leaf}}, 256, Bytes(33, 0))},
           Bad{"link out of place", put_shard(store, {{"01x", leaf}}, 256, {1})},
           Bad{"link out of place", put_shard(store, {{"00x", leaf}, {"00y", leaf}}, 256, {3})},
           Bad{"link out of place", put_shard(store, {{"0", leaf}}, 256, {1})},
           Bad{"link out of place", put_shard(store, {{"zzx", leaf}}, 256, {1})},
           Bad{"name does not belong", put_shard(store, {{"00470.tx", leaf}}, 256, {1})},
           Bad{"of another kind", put_shard(store, {{"00", flat}}, 256, {1})},
           Bad{"of another kind", put_shard(store, {{"00", other}}, 256, {1})},
           Bad{"of another kind", put_shard(store, {{"00", leaf}}, 256, {1})},
           Bad{"is empty", put_shard(store, {{"00", empty}}, 256, {1})},
       }) {
    const auto entries = list_all(store, bad.cid);
    ASSERT_FALSE(entries) << bad.why;
    EXPECT_EQ(entries.error().kind, FaultKind::BadData);
    EXPECT_NE(entries.error().message.find(bad.why), std::string::npos) << entries.error().message;
  }
  EXPECT_EQ(list_all(store, empty)->size(), 0U) << "an empty root is an empty folder";
}

TEST(DirectoryReader, AShardLinkedFromEverywhereEndsQuickly) {
  MapStore store;
  // Eight levels of 256 links to one child each: 2^64 paths.
  const Cid leaf = cid_of("bafkqaaa");
  const HamtShape shape = *HamtShape::of(256);
  Cid cid = put_shard(store, {{"006E470.txt", leaf}}, 256, {1});
  for (int level = 0; level < 8; ++level) {
    std::vector<std::pair<std::string, Cid>> links;
    for (unsigned bucket = 0; bucket < 256; ++bucket) links.push_back({shape.prefix(bucket), cid});
    cid = put_shard(store, links, 256, Bytes(32, 0xff));
  }
  store.asked.clear();
  const auto entries = list_all(store, cid);
  ASSERT_FALSE(entries);
  EXPECT_EQ(entries.error().kind, FaultKind::BadData);
  EXPECT_LT(store.asked.size(), 20U);
  const auto root = load_node(store, cid);
  EXPECT_FALSE(find_entry(store, *root, "470.txt")) << "deeper than its hash";
}

TEST(DirectoryReader, MutatedShardsEndInAFaultOrAListing) {
  MapStore valid;
  Importer importer(sharded_with(16), valid);
  const auto node = importer.add_directory(numbered(60));
  std::vector<Cid> cids;
  for (const auto& [multihash, block] : valid.blocks) cids.push_back(block.cid());
  std::sort(cids.begin(), cids.end());
  Prng prng(21);
  int faults = 0;
  for (int round = 0; round < 20'000; ++round) {
    MapStore store = valid;
    const Cid& victim = cids[prng.below(cids.size())];
    Bytes bytes = to_bytes(store.blocks.at(victim.multihash()).bytes());
    for (std::uint64_t changes = prng.between(1, 3); changes > 0; --changes) {
      bytes[prng.below(bytes.size())] = static_cast<std::uint8_t>(prng());
    }
    store.blocks.at(victim.multihash()) = Block(victim, std::move(bytes));
    const auto entries = list_all(store, node->cid);
    if (!entries) {
      ++faults;
    } else {
      ASSERT_LE(entries->size(), 60U);
    }
  }
  EXPECT_GT(faults, 5'000);
}

// Every CAR of the public gateway suite in one store.
bool load_suite(MapStore& store) {
  const auto folder = fixture("gateway-conformance/fixtures");
  if (folder.empty()) return false;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".car") continue;
    auto file = FileSource::open(entry.path());
    EXPECT_TRUE(file);
    auto car = CarReader::open(*file);
    EXPECT_TRUE(car) << entry.path();
    for (;;) {
      const auto block = car->next();
      EXPECT_TRUE(block) << entry.path() << block.error().message;
      if (!block || !*block) break;
      static_cast<void>(store.put((*block)->cid(), (*block)->bytes()));
    }
  }
  return true;
}

Bytes content_at(MapStore& store, const std::string& path) {
  Reader reader(store);
  const auto resolved = reader.resolve(*parse_content_path(path));
  EXPECT_TRUE(resolved) << resolved.error().message;
  CollectingSink sink;
  if (resolved) {
    EXPECT_TRUE(reader.read(resolved->back(), {}, sink)) << path;
  }
  return sink.content;
}

TEST(GatewaySuite, FilesFoldersAndSymlinksReadAsTheSuiteExpects) {
  MapStore store;
  if (!load_suite(store)) GTEST_SKIP() << "the public gateway suite is not in " CIDBUS_FIXTURES;
  const std::string files = "/ipfs/bafybeihchr7vmgjaasntayyatmp5sv6xza57iy2h4xj7g46bpjij6yhrmy";
  EXPECT_EQ(as_text(content_at(store, files + "/ascii.txt")), "hello application/vnd.ipld.car\n");
  EXPECT_EQ(as_text(content_at(store, files + "/hello.txt")), "hello world\n");
  EXPECT_EQ(content_at(store, files + "/multiblock.txt").size(), 1026U);
  EXPECT_TRUE(
      as_text(content_at(store, files + "/multiblock.txt")).starts_with("Lorem ipsum dolor sit amet"));
  EXPECT_EQ(as_text(content_at(store,
                               "/ipfs/bafybeig675grnxcmshiuzdaz2xalm6ef4thxxds6o6ypakpghm5kghpc34/"
                               "Portugal%2C+España=Peninsula Ibérica.txt")),
            "hello from a percent encoded filename\n");
  Reader reader(store);
  const auto link = reader.resolve(*parse_content_path("QmWvY6FaqFMS89YAQ9NAPjVP4WZKA1qbHbicc9HeSKQTgt/bar"));
  EXPECT_EQ(*reader.read_symlink(link->back()), "foo");
}

TEST(GatewaySuite, TheShardedFolderReadsAndIsBuiltAgainToTheByte) {
  MapStore store;
  if (!load_suite(store)) GTEST_SKIP() << "the public gateway suite is not in " CIDBUS_FIXTURES;
  const Cid root = cid_of("bafybeidbclfqleg2uojchspzd4bob56dqetqjsj27gy2cq3klkkgxtpn4i");
  EXPECT_TRUE(Reader(store).stat(root)->sharded);
  const auto entries = list_all(store, root);
  ASSERT_TRUE(entries) << entries.error().message;
  EXPECT_EQ(entries->size(), 1000U);
  EXPECT_EQ(content_at(store, to_text(root) + "/470.txt").size(), 1026U);
  MapStore again;
  DirectoryBuilder builder(sharded_with(256), again);
  for (const Entry& entry : *entries) ASSERT_TRUE(builder.add({entry.name, entry.cid, entry.tsize}));
  EXPECT_EQ(builder.finish()->cid, root);
}

// The suite leaves the second of its three parts of 1024 bytes out.
TEST(GatewaySuite, AFileWithAMissingPartReadsAroundIt) {
  MapStore store;
  if (!load_suite(store)) GTEST_SKIP() << "the public gateway suite is not in " CIDBUS_FIXTURES;
  Reader reader(store);
  const Cid file = cid_of("QmYhmPjhFjYFyaoiuNzYv8WGavpSRDwdHWe5B4M5du5Rtk");
  EXPECT_EQ(reader.stat(file)->size, 3072U);
  CollectingSink around;
  EXPECT_EQ(reader.read(file, {0, 1024}, around), 1024U);
  EXPECT_EQ(reader.read(file, {2048, 4000}, around), 1024U);
  EXPECT_EQ(around.content.size(), 2048U);
  CollectingSink whole;
  const auto read = reader.read(file, {}, whole);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind, FaultKind::NotFound);
  EXPECT_EQ(whole.content.size(), 1024U) << "what came before it is right";
}

TEST(GatewaySuite, NamesThatEscapeAreListedAsTheyStand) {
  MapStore store;
  if (!load_suite(store)) GTEST_SKIP() << "the public gateway suite is not in " CIDBUS_FIXTURES;
  const auto entries = list_all(store, cid_of("bafybeicaj7kvxpcv4neaqzwhrqqmdstu4dhrwfpknrgebq6nzcecfucvyu"));
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 2U);
  EXPECT_EQ((*entries)[0].name, "../foo");
}

TEST(GatewaySuite, EveryDagPbBlockIsDecodedOrRefusedInALine) {
  MapStore store;
  if (!load_suite(store)) GTEST_SKIP() << "the public gateway suite is not in " CIDBUS_FIXTURES;
  int decoded = 0;
  for (const auto& [multihash, block] : store.blocks) {
    if (block.cid().codec() != Codec::DagPb) continue;
    const auto node = decode_node(block.cid(), block);
    if (node) {
      ++decoded;
    } else {
      EXPECT_EQ(node.error().message.find('\n'), std::string::npos) << node.error().message;
    }
  }
  EXPECT_GT(decoded, 200);
}

}  // namespace
}  // namespace cidbus
