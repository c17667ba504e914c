#include "broker/journal/segment_format.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

const ChainEnd some_end{{77}, {5}, 0xfeedbeef};

SegmentHeader some_header() {
  SegmentHeader header;
  header.cluster = {42};
  header.incarnation.bytes = {9, 8, 7};
  header.number = 3;
  header.segment_bytes = 1 << 20;
  header.head_bytes = 8192;
  header.begins_anew = true;
  header.base = some_end;
  return header;
}

Identifier some_identifier() {
  Identifier identifier;
  identifier.flags = Identifier::synced;
  identifier.offset = 8192;
  identifier.length = 300;
  identifier.count = 7;
  identifier.crc = 0x12345678;
  identifier.first = {100};
  identifier.epoch = {4};
  identifier.office = {6};
  return identifier;
}

TEST(SegmentFormat, EveryStructureReadsBackAsItWasWritten) {
  const auto header = decode_segment_header(encode(some_header()));
  ASSERT_TRUE(header.found);
  EXPECT_EQ(header.found->cluster, ClusterId{42});
  EXPECT_EQ(header.found->incarnation, some_header().incarnation);
  EXPECT_EQ(header.found->number, 3U);
  EXPECT_EQ(header.found->identifiers(), 64U);
  EXPECT_TRUE(header.found->begins_anew);
  EXPECT_EQ(header.found->base, some_end);
  const auto identifier = decode_identifier(encode(some_identifier()));
  ASSERT_TRUE(identifier.found);
  EXPECT_EQ(identifier.found->flags, Identifier::synced);
  EXPECT_EQ(identifier.found->offset, 8192U);
  EXPECT_EQ(identifier.found->length, 300U);
  EXPECT_EQ(identifier.found->end(), (ChainEnd{{106}, {4}, 0x12345678}));
  EXPECT_EQ(identifier.found->office, Epoch{6});
  const auto seal = decode_seal(encode(Seal{64, some_end}));
  ASSERT_TRUE(seal.found);
  EXPECT_EQ(seal.found->identifiers, 64U);
  EXPECT_EQ(seal.found->end, some_end);
  const auto trailer = decode_trailer(encode(Trailer{{8}, 99}));
  ASSERT_TRUE(trailer);
  EXPECT_EQ(trailer->office, Epoch{8});
  EXPECT_EQ(trailer->batch_crc, 99U);
}

TEST(SegmentFormat, EveryFlippedBitMakesAStructureDamagedAndNeverAnother) {
  const auto for_each_flip = [](const Bytes& good, const auto& check) {
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
      Bytes bad = good;
      bad[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
      check(bad);
    }
  };
  for_each_flip(encode(some_header()), [](const Bytes& bad) {
    EXPECT_FALSE(decode_segment_header(bad).found || decode_segment_header(bad).empty);
  });
  for_each_flip(encode(some_identifier()), [](const Bytes& bad) {
    EXPECT_FALSE(decode_identifier(bad).found || decode_identifier(bad).empty);
  });
  for_each_flip(encode(Seal{64, some_end}),
                [](const Bytes& bad) { EXPECT_FALSE(decode_seal(bad).found || decode_seal(bad).empty); });
  for_each_flip(encode(Trailer{{8}, 99}), [](const Bytes& bad) { EXPECT_FALSE(decode_trailer(bad)); });
}

TEST(SegmentFormat, ZerosAreAPlaceNotWritten) {
  EXPECT_TRUE(decode_identifier(Bytes(identifier_bytes)).empty);
  EXPECT_TRUE(decode_seal(Bytes(structure_bytes)).empty);
  EXPECT_TRUE(decode_segment_header(Bytes(structure_bytes)).empty);
  EXPECT_FALSE(decode_trailer(Bytes(trailer_bytes)));
}

TEST(SegmentFormat, EveryStructureFitsIntoOneSectorAndBatchesBeginOnes) {
  EXPECT_EQ(encode(some_header()).size(), structure_bytes);
  EXPECT_EQ(encode(Seal{1, some_end}).size(), structure_bytes);
  EXPECT_EQ(structure_bytes % identifier_bytes, 0U);
  EXPECT_EQ(identifiers_offset % structure_bytes, 0U);
  EXPECT_EQ(batch_extent(1), 512U);
  EXPECT_EQ(batch_extent(512 - trailer_bytes), 512U);
  EXPECT_EQ(batch_extent(512 - trailer_bytes + 1), 1024U);
}

TEST(SegmentFormat, NamesAreOfOneForm) {
  EXPECT_EQ(segment_name(7), "segment-0000000007");
  EXPECT_EQ(parse_segment_name("segment-0000000007"), 7U);
  EXPECT_EQ(parse_segment_name(segment_name(12'345'678'901)), 12'345'678'901U);
  for (const char* name :
       {"segment-7", "segment-", "segment-0000000007.new", "segment-00000000x7", "meta", ""})
    EXPECT_FALSE(parse_segment_name(name)) << name;
}

}  // namespace
}  // namespace cidbus
