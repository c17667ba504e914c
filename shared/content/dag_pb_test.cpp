#include "shared/content/dag_pb.h"

#include <gtest/gtest.h>

#include "shared/base/prng.h"
#include "shared/content/protobuf.h"
#include "shared/content/test_support.h"

namespace cidbus {
namespace {

using content_test::cid_of;
using content_test::fixture;
using content_test::from_hex;
using content_test::to_hex;

// A link to the raw block of five bytes named by itself (identity), as the public fixtures have it.
constexpr const char* some_cid = "015500050001020304";

TEST(DagPb, WritesLinksBeforeDataAndEveryFieldOfALink) {
  const Cid cid = *Cid::from_bytes(from_hex(some_cid));
  const DagPbLink links[] = {{cid, "", 0}, {cid, "a", 300}};
  EXPECT_EQ(to_hex(encode_dag_pb(links, from_hex("0801"))),
            "120f0a0901550005000102030412001800"
            "12110a090155000500010203041201611"
            "8ac02"
            "0a020801");
  EXPECT_EQ(to_hex(encode_dag_pb({}, std::nullopt)), "");
  EXPECT_EQ(to_hex(encode_dag_pb({}, ByteView())), "0a00");
}

TEST(DagPb, ReadsFieldsInAnyOrder) {
  for (const char* text : {
           "120e0a090155000500010203041201610a020801",  // links, data
           "0a020801120e0a09015500050001020304120161",  // data, links
           "120e1201610a090155000500010203040a020801",  // name before hash
       }) {
    const Bytes block = from_hex(text);
    const auto node = decode_dag_pb(block);
    ASSERT_TRUE(node) << text << node.error().message;
    ASSERT_EQ(node->links.size(), 1U);
    EXPECT_EQ(node->links[0].name, "a");
    EXPECT_EQ(to_hex(node->links[0].cid.bytes()), some_cid);
    EXPECT_EQ(node->links[0].tsize, 0U);
    EXPECT_EQ(to_hex(*node->data), "0801");
  }
}

TEST(DagPb, TellsNoDataFromEmptyData) {
  EXPECT_FALSE(decode_dag_pb({})->data);
  const Bytes block = from_hex("0a00");
  ASSERT_TRUE(decode_dag_pb(block)->data);
  EXPECT_TRUE(decode_dag_pb(block)->data->empty());
}

TEST(DagPb, RefusesWhatTheSpecificationRefuses) {
  for (const char* text : {
           "0a",                                                // cut in the tag's value
           "0a05aabb",                                          // data longer than the block
           "0a010a0a010a",                                      // data twice
           "1a00",                                              // an unknown field
           "1003",                                              // links as a number
           "08ff01",                                            // data as a number
           "1200",                                              // a link without a hash
           "12030a0100",                                        // a hash that is no CID
           "120b0a090155000500010203",                          // a link cut short
           "12160a090155000500010203040a09015500050001020304",  // hash twice
           "120f0a0901550005000102030412001200",                // name twice
           "120d0a090155000500010203042201",                    // an unknown field in a link
           "120c0a090155000500010203041a",                      // a tag without value
           "13",                                                // the start of a group
           "0000",                                              // field number 0
           "8a000a",                                            // a tag that is not minimal
           "ffffffffffffffffffff01",                            // a varint without end
       }) {
    const Bytes block = from_hex(text);
    const auto node = decode_dag_pb(block);
    ASSERT_FALSE(node) << text;
    EXPECT_EQ(node.error().kind, FaultKind::BadData);
    EXPECT_TRUE(node.error().message.starts_with("not a dag-pb block: ")) << node.error().message;
  }
}

TEST(DagPb, StopsAtItsBoundsOfBytesAndLinks) {
  Bytes big;
  ProtobufWriter(big).bytes(1, Bytes(limits::block_bytes - 4));
  ASSERT_EQ(big.size(), limits::block_bytes);
  EXPECT_TRUE(decode_dag_pb(big));
  big.push_back(0);
  EXPECT_FALSE(decode_dag_pb(big));

  const Bytes link = from_hex("12060a0401550000");  // the shortest there is
  Bytes many;
  for (std::size_t count = 0; count < limits::node_links; ++count) ByteWriter(many).raw(link);
  EXPECT_EQ(decode_dag_pb(many)->links.size(), limits::node_links);
  ByteWriter(many).raw(link);
  const auto node = decode_dag_pb(many);
  ASSERT_FALSE(node);
  EXPECT_EQ(node.error().message, "not a dag-pb block: more than 65536 links");
}

TEST(DagPb, EncodedSizesAreWhatEncodingGives) {
  Prng prng(3);
  for (int round = 0; round < 300; ++round) {
    const std::string name(prng.below(300), 'n');
    const DagPbLink link{prng.chance(1, 2) ? cid_of("QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn")
                                           : cid_of("bafkqabtimvwgy3yk"),
                         name, prng() >> prng.between(1, 63)};
    const Bytes data(prng.below(20000));
    const std::size_t expected = encoded_link_bytes(link.cid.bytes().size(), name.size(), link.tsize) +
                                 encoded_data_bytes(data.size());
    const Bytes block = encode_dag_pb({&link, 1}, data);
    ASSERT_EQ(block.size(), expected);
    const auto node = decode_dag_pb(block);
    ASSERT_TRUE(node) << node.error().message;
    EXPECT_EQ(node->links[0].cid, link.cid);
    EXPECT_EQ(node->links[0].name, name);
    EXPECT_EQ(node->links[0].tsize, link.tsize);
    EXPECT_EQ(node->data->size(), data.size());
  }
}

TEST(DagPb, PublicBlocksAreReadAndThoseWithAllFieldsWrittenBack) {
  const auto folder = fixture("multiformats/codec-fixtures/fixtures");
  SKIP_WITHOUT_FIXTURE(folder);
  int read = 0;
  int written = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".dag-pb") continue;
    const Bytes block = content_test::read_file(entry.path());
    const auto node = decode_dag_pb(block);
    ASSERT_TRUE(node) << entry.path() << node.error().message;
    ++read;
    const std::string name = entry.path().parent_path().filename().string();
    const bool has_all_fields = name.find("link") == name.npos && name.find("Links") == name.npos &&
                                name.find("simple_forms") == name.npos;
    if (!has_all_fields && name != "dagpb_7unnamedlinks+data" && name != "dagpb_11unnamedlinks+data")
      continue;
    EXPECT_EQ(encode_dag_pb(node->links, node->data), block) << name;
    ++written;
  }
  EXPECT_EQ(read, 17);
  EXPECT_GE(written, 5);
}

TEST(DagPb, MutatedBlocksAreReadOrRefusedWithoutHarm) {
  const Cid cid = cid_of("bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354");
  const DagPbLink links[] = {{cid, "a", 5}, {cid, "b", 700}, {cid, "long name", 1ULL << 40}};
  const Bytes valid = encode_dag_pb(links, from_hex("080118ff01"));
  Prng prng(11);
  int refused = 0;
  for (int round = 0; round < 100'000; ++round) {
    Bytes block = valid;
    for (std::uint64_t changes = prng.between(1, 3); changes > 0; --changes) {
      block[prng.below(block.size())] = static_cast<std::uint8_t>(prng());
    }
    if (prng.chance(1, 3)) block.resize(prng.below(block.size() + 1));
    const auto node = decode_dag_pb(block);
    if (!node) {
      ++refused;
      continue;
    }
    std::size_t names = 0;
    for (const DagPbLink& link : node->links) names += link.name.size() + link.cid.bytes().size();
    ASSERT_LE(names + (node->data ? node->data->size() : 0), block.size());
  }
  EXPECT_GT(refused, 50'000);
}

}  // namespace
}  // namespace cidbus
