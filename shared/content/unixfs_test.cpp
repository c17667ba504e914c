#include "shared/content/unixfs.h"

#include <gtest/gtest.h>

#include "shared/base/prng.h"
#include "shared/content/hamt.h"
#include "shared/content/test_support.h"

namespace cidbus {
namespace {

using content_test::from_hex;
using content_test::to_hex;

TEST(UnixFs, WritesTheBytesOfKnownNodes) {
  UnixFsData directory;
  directory.type = UnixFsType::Directory;
  EXPECT_EQ(to_hex(encode_unixfs(directory)), "0801");

  UnixFsData symlink;
  symlink.type = UnixFsType::Symlink;
  symlink.data = as_bytes("foo");
  EXPECT_EQ(to_hex(encode_unixfs(symlink)), "08041203666f6f");

  UnixFsData file;
  file.file_size = 300;
  file.block_sizes = {256, 44};
  EXPECT_EQ(to_hex(encode_unixfs(file)),
            "080218ac0220800220"
            "2c");

  const Bytes bitfield = from_hex("80ff");
  UnixFsData shard;
  shard.type = UnixFsType::HamtShard;
  shard.data = bitfield;
  shard.hash_type = hamt_murmur3;
  shard.fanout = 256;
  EXPECT_EQ(to_hex(encode_unixfs(shard)), "0805120280ff2822308002");
}

TEST(UnixFs, ReadsPackedSizesAndSkipsModeMtimeAndTheUnknown) {
  // type file, mode 0644, mtime {seconds -1 (ten bytes), nanoseconds}, packed sizes 1 2, unknown field 99
  const Bytes message = from_hex("080238a403421008ffffffffffffffffff011501000000220201029a0603abcdef");
  const auto data = decode_unixfs(message);
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_EQ(data->type, UnixFsType::File);
  EXPECT_EQ(data->block_sizes, (std::vector<ByteCount>{1, 2}));
  EXPECT_FALSE(data->file_size);
}

TEST(UnixFs, RefusesWhatIsNotADataMessage) {
  for (const char* text :
       {"", "0806", "08", "0a0101", "08020801", "0802120161120162", "080218011802", "08022201ff", "1801",
        "080212ff", "0802100a", "080228223022302", "08022d01020304"}) {
    const Bytes message = from_hex(text);
    const auto data = decode_unixfs(message);
    ASSERT_FALSE(data) << text;
    EXPECT_TRUE(data.error().message.starts_with("not UnixFS: ")) << data.error().message;
  }
}

TEST(UnixFs, StopsAtItsBoundOfBlockSizes) {
  for (const bool packed : {false, true}) {
    Bytes message = {0x08, 0x02};
    Bytes sizes;
    for (std::size_t count = 0; count <= limits::node_links; ++count) {
      if (!packed) sizes.push_back(0x20);
      sizes.push_back(0x01);
    }
    if (packed) {
      message.push_back(0x22);
      ByteWriter(message).varint(sizes.size());
    }
    ByteWriter(message).raw(sizes);
    EXPECT_FALSE(decode_unixfs(message)) << packed;
  }
}

TEST(UnixFs, RandomMessagesAreReadOrRefusedWithoutHarm) {
  Prng prng(5);
  int read = 0;
  for (int round = 0; round < 200'000; ++round) {
    Bytes message = {0x08, static_cast<std::uint8_t>(prng.below(7))};
    for (std::uint64_t more = prng.below(20); more > 0; --more) {
      message.push_back(static_cast<std::uint8_t>(prng.chance(1, 2) ? prng.below(0x48) : prng()));
    }
    const auto data = decode_unixfs(message);
    if (!data) continue;
    ++read;
    const auto again = decode_unixfs(encode_unixfs(*data));
    ASSERT_TRUE(again);
    EXPECT_EQ(again->block_sizes, data->block_sizes);
    EXPECT_EQ(again->file_size, data->file_size);
  }
  EXPECT_GT(read, 1000);
}

// From a real sharded directory of the public gateway suite: entry "470.txt" stands at 00, then 6E; and the
// published vectors of MurmurHash3_x64_128 for the texts below.
TEST(Hamt, HashesNamesAsMurmur3Does) {
  EXPECT_EQ(murmur3_x64_64({}), 0ULL);
  EXPECT_EQ(murmur3_x64_64(as_bytes("hello")), 0xcbd8a7b341bd9b02ULL);
  EXPECT_EQ(murmur3_x64_64(as_bytes("The quick brown fox jumps over the lazy dog")), 0xe34bbc7bbc071b6cULL);
  const std::uint64_t hash = murmur3_x64_64(as_bytes("470.txt"));
  EXPECT_EQ(hash >> 32, 0x006e88dfULL);
  const HamtShape shape = *HamtShape::of(256);
  EXPECT_EQ(shape.prefix(shape.bucket(hash, 0)), "00");
  EXPECT_EQ(shape.prefix(shape.bucket(hash, 1)), "6E");
}

TEST(Hamt, AllowsOnlySafeFanouts) {
  for (const std::uint64_t fanout : {8, 16, 32, 64, 128, 256, 512, 1024}) EXPECT_TRUE(HamtShape::of(fanout));
  for (const std::uint64_t fanout :
       {0ULL, 1ULL, 2ULL, 4ULL, 12ULL, 24ULL, 255ULL, 257ULL, 2048ULL, 1ULL << 63}) {
    EXPECT_FALSE(HamtShape::of(fanout)) << fanout;
  }
}

TEST(Hamt, BucketsUseTheHashFromTheTopAndPrefixesReadBack) {
  EXPECT_EQ(HamtShape::of(256)->levels(), 8U);
  EXPECT_EQ(HamtShape::of(8)->levels(), 21U);
  EXPECT_EQ(HamtShape::of(8)->bucket(0xb000000000000000ULL, 0), 5U);
  EXPECT_EQ(HamtShape::of(8)->bucket(0xb000000000000000ULL, 1), 4U);
  EXPECT_EQ(HamtShape::of(1024)->prefix(1023), "3FF");
  EXPECT_EQ(HamtShape::of(8)->prefix(7), "7");
  for (const std::uint64_t fanout : {8, 16, 256, 1024}) {
    const HamtShape shape = *HamtShape::of(fanout);
    for (unsigned bucket = 0; bucket < fanout; ++bucket) {
      EXPECT_EQ(shape.parse_prefix(shape.prefix(bucket) + "name"), bucket);
    }
  }
  const HamtShape shape = *HamtShape::of(256);
  for (const char* name : {"", "A", "0a", "G0", " 0", "-1"}) EXPECT_FALSE(shape.parse_prefix(name)) << name;
  EXPECT_FALSE(HamtShape::of(8)->parse_prefix("8"));
  EXPECT_FALSE(HamtShape::of(1024)->parse_prefix("400"));
}

TEST(Hamt, TheBitfieldIsBigEndianWithoutLeadingZeros) {
  const HamtShape shape = *HamtShape::of(256);
  HamtBitfield bitfield(shape);
  EXPECT_TRUE(bitfield.trimmed().empty());
  bitfield.set(0);
  bitfield.set(9);
  EXPECT_EQ(to_hex(bitfield.trimmed()), "0201");
  EXPECT_TRUE(bitfield_has(bitfield.trimmed(), 0));
  EXPECT_TRUE(bitfield_has(bitfield.trimmed(), 9));
  EXPECT_FALSE(bitfield_has(bitfield.trimmed(), 1));
  EXPECT_FALSE(bitfield_has(bitfield.trimmed(), 200));
  EXPECT_EQ(bitfield_count(bitfield.trimmed()), 2U);
  bitfield.set(255);
  EXPECT_EQ(bitfield.trimmed().size(), 32U);
}

}  // namespace
}  // namespace cidbus
