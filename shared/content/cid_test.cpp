#include "shared/content/cid.h"

#include <gtest/gtest.h>

#include <unordered_set>

#include "shared/base/prng.h"
#include "shared/content/test_support.h"

namespace cidbus {
namespace {

using content_test::cid_of;
using content_test::fixture;
using content_test::from_hex;
using content_test::to_hex;

constexpr const char* empty_file_v0 = "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH";
constexpr const char* empty_file_v1 = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku";
constexpr const char* empty_directory_v0 = "QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn";
constexpr const char* empty_directory_v1 = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";

TEST(Cid, IsMadeFromContent) {
  EXPECT_EQ(to_text(Cid::v1(Codec::Raw, sha2_256({}))), empty_file_v1);
  EXPECT_EQ(to_text(Cid::v0(sha2_256(from_hex("0a0408021800")))), empty_file_v0);
  EXPECT_EQ(to_text(Cid::v0(sha2_256(from_hex("0a020801")))), empty_directory_v0);
  EXPECT_EQ(to_text(Cid::v1(Codec::DagPb, sha2_256(from_hex("0a020801")))), empty_directory_v1);
}

TEST(Cid, OneValueInEveryWriting) {
  // Written by multiformats 13 (npm).
  const Cid v1 = cid_of("bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi");
  for (const char* text : {"k2jmtxw8rjh1z69c6not3wtdxb0u3urbzhyll1t9jg6ox26dhi5sfi1m",
                           "zdj7Wic6KcJAfWz1c9o4M6kq9Lwd5BfbxkVafnrojaaGiSFxM",
                           "F01701220C3C4733EC8AFFD06CF9E9FF50FFC6BCD2EC85A6170004BB709669C31DE94391A",
                           "uAXASIMPEcz7Ir_0Gz56f9Q_8a80uyFphcABLtwlmnDHelDka",
                           "BAFYBEIGDYRZT5SFP7UDM7HU76UH7Y26NF3EFUYLQABF3OCLGTQY55FBZDI"}) {
    EXPECT_EQ(cid_of(text), v1);
  }
  EXPECT_EQ(cid_of("zdj7WbTaiJT1fgatdet9Ei9iDB5hdCxkbVyhyh8YTUnXMiwYi"), cid_of(empty_directory_v1));
  for (const Multibase base :
       {Multibase::Base16, Multibase::Base16Upper, Multibase::Base32Upper, Multibase::Base36,
        Multibase::Base36Upper, Multibase::Base58Btc, Multibase::Base64Url}) {
    EXPECT_EQ(cid_of(to_text(v1, base)), v1) << to_text(v1, base);
  }
  EXPECT_EQ(v1.version(), 1U);
  EXPECT_EQ(v1.codec(), Codec::DagPb);
  EXPECT_EQ(v1.multihash().code(), HashCode::Sha2_256);
}

TEST(Cid, VersionsOfOneBlockDifferAndShareTheirMultihash) {
  const Cid v0 = cid_of(empty_directory_v0);
  const Cid v1 = cid_of(empty_directory_v1);
  EXPECT_EQ(v0.version(), 0U);
  EXPECT_EQ(v0.codec(), Codec::DagPb);
  EXPECT_NE(v0, v1);
  EXPECT_EQ(v0.multihash(), v1.multihash());
  EXPECT_EQ(v0.hash(), v1.hash());
  EXPECT_EQ(as_v1(v0), v1);
  EXPECT_EQ(to_text(v0, Multibase::Base32), empty_directory_v1)
      << "version 0 has no bases, so version 1 is written";
  EXPECT_EQ(to_text(v0), empty_directory_v0);
}

TEST(Cid, BytesRoundTripAndStandInLongerBytes) {
  for (const char* text :
       {empty_file_v0, empty_file_v1, empty_directory_v1, "bafkqaaa", "bafkqabtimvwgy3yk"}) {
    const Cid cid = cid_of(text);
    EXPECT_EQ(*Cid::from_bytes(cid.bytes()), cid);
    Bytes longer = to_bytes(cid.bytes());
    longer.push_back(0xff);
    EXPECT_FALSE(Cid::from_bytes(longer));
    ByteReader reader(longer);
    EXPECT_EQ(*Cid::read(reader), cid);
    EXPECT_EQ(reader.rest().size(), 1U);
    for (std::size_t size = 0; size < cid.bytes().size(); ++size) {
      EXPECT_FALSE(Cid::from_bytes(cid.bytes().first(size))) << text << " cut to " << size;
    }
  }
}

TEST(Cid, IdentityHoldsItsContent) {
  EXPECT_EQ(as_text(cid_of("bafkqabtimvwgy3yk").identity_content()), "hello\n");
  EXPECT_TRUE(cid_of("bafkqaaa").is_identity());
  EXPECT_TRUE(cid_of("bafkqaaa").identity_content().empty());
  EXPECT_FALSE(cid_of(empty_file_v1).is_identity());
  const Bytes content(limits::digest_bytes, 'x');
  const Cid longest = Cid::v1(Codec::DagJson, *hash_content(HashCode::Identity, content));
  for (const Multibase base : {Multibase::Base16, Multibase::Base32, Multibase::Base58Btc}) {
    EXPECT_EQ(to_bytes(cid_of(to_text(longest, base)).identity_content()), content);
  }
}

TEST(Cid, WhatIsNotACidIsRefusedInOneLine) {
  const std::string deep(1'000'000, 'z');
  for (const std::string& text :
       std::initializer_list<std::string>{"",
                                          "Q",
                                          "Qm",
                                          "hello",
                                          "/ipfs/",
                                          "b",
                                          "z",
                                          "bafy",
                                          "bafkqaab",
                                          std::string(empty_file_v0) + "x",
                                          std::string(empty_file_v0).substr(0, 45),
                                          "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQ0",
                                          std::string("z") + empty_file_v0,
                                          " bafkqaaa",
                                          "bafkqaaa\n",
                                          "f0255",
                                          "f00",
                                          "f017012",
                                          "f01700000ff",
                                          "f0155120fff",
                                          deep,
                                          "f01551220",
                                          "f0080",
                                          "\xff\xfe"}) {
    const auto cid = Cid::parse(text);
    ASSERT_FALSE(cid) << text;
    EXPECT_EQ(cid.error().kind, FaultKind::BadData);
    EXPECT_TRUE(cid.error().message.starts_with("not a CID: '")) << cid.error().message;
    EXPECT_EQ(cid.error().message.find('\n'), std::string::npos);
    EXPECT_LE(cid.error().message.size(), 300U);
  }
  EXPECT_EQ(Cid::parse("photo.jpg").error().message,
            "not a CID: 'photo.jpg' (its first letter names no known multibase); a CID looks like bafy..., "
            "bafk... or "
            "Qm...");
}

TEST(Cid, RefusesMoreThanItsBoundAndVersionsThatDoNotExist) {
  const auto v2 = Cid::from_bytes(from_hex("02550000"));
  ASSERT_FALSE(v2);
  EXPECT_EQ(v2.error().message, "there is no CID version 2");
  // A codec of nine bytes, a hash code of nine bytes and a digest of 128 would be 148 bytes.
  Bytes bytes = {0x01};
  ByteWriter writer(bytes);
  writer.varint((1ULL << 63) - 1);
  writer.varint((1ULL << 63) - 1);
  writer.varint(limits::digest_bytes);
  writer.raw(Bytes(limits::digest_bytes));
  const auto too_long = Cid::from_bytes(bytes);
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().message, "149 bytes, where 140 are the most");
}

TEST(Cid, OrdersByBytesAndWorksAsAKey) {
  std::unordered_set<Cid> set;
  for (const char* text : {empty_file_v0, empty_file_v1, empty_directory_v0, empty_directory_v1}) {
    set.insert(cid_of(text));
    set.insert(cid_of(text));
  }
  EXPECT_EQ(set.size(), 4U);
  EXPECT_LT(cid_of("bafkqaaa"), cid_of(empty_file_v1));
  EXPECT_LT(cid_of(empty_file_v1), cid_of(empty_file_v0)) << "01... before 12...";
  EXPECT_TRUE(Cid().is_null());
  EXPECT_NE(Cid(), cid_of("bafkqaaa"));
}

TEST(Cid, VerifyNamesTheBlock) {
  EXPECT_TRUE(verify(cid_of(empty_file_v1), {}));
  const auto status = verify(cid_of(empty_file_v1), as_bytes("x"));
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message,
            std::string("block ") + empty_file_v1 + ": the content does not have the hash it was asked by");
}

TEST(Cid, PublicBlocksHaveTheNamesTheirFilesSay) {
  const auto folder = fixture("multiformats/codec-fixtures/fixtures");
  SKIP_WITHOUT_FIXTURE(folder);
  int checked = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const auto cid = Cid::parse(entry.path().stem().string());
    ASSERT_TRUE(cid) << entry.path();
    EXPECT_TRUE(verify(*cid, content_test::read_file(entry.path()))) << entry.path();
    EXPECT_EQ(to_text(*cid), entry.path().stem().string());
    EXPECT_EQ("." + to_text(cid->codec()), entry.path().extension().string());
    ++checked;
  }
  EXPECT_GT(checked, 100);
}

TEST(Cid, RandomBytesNeverParseToSomethingThatDoesNotWriteBack) {
  Prng prng(7);
  int parsed = 0;
  for (int round = 0; round < 200'000; ++round) {
    Bytes bytes(prng.below(12));
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(prng.below(6));
    const auto cid = Cid::from_bytes(bytes);
    if (!cid) continue;
    ++parsed;
    ASSERT_EQ(to_bytes(cid->bytes()), bytes);
    ASSERT_EQ(cid_of(to_text(*cid)), *cid) << to_hex(bytes);
  }
  EXPECT_GT(parsed, 100);
}

TEST(ContentPath, SplitsCidAndNames) {
  for (const char* text :
       {"bafkqaaa/a/b c", "/ipfs/bafkqaaa/a/b c", "ipfs://bafkqaaa/a/b c", "bafkqaaa//a/b c/"}) {
    const auto path = parse_content_path(text);
    ASSERT_TRUE(path) << text;
    EXPECT_EQ(path->root, cid_of("bafkqaaa"));
    EXPECT_EQ(path->segments, (std::vector<std::string>{"a", "b c"})) << text;
  }
  EXPECT_TRUE(parse_content_path("/ipfs/bafkqaaa")->segments.empty());
  EXPECT_TRUE(parse_content_path("/ipfs/bafkqaaa/")->segments.empty());
  EXPECT_EQ(parse_content_path("bafkqaaa/%2F/..")->segments, (std::vector<std::string>{"%2F", ".."}));
}

TEST(ContentPath, RefusesWhatHoldsNoCidAndWhatIsTooLong) {
  for (const char* text : {"", "/", "/ipfs", "/ipfs//", "/ipns/example.org", "a/bafkqaaa", "/bafkqaaa"}) {
    EXPECT_FALSE(parse_content_path(text)) << text;
  }
  EXPECT_TRUE(parse_content_path("bafkqaaa/" + std::string(limits::path_bytes - 1, 'a')));
  EXPECT_FALSE(parse_content_path("bafkqaaa/" + std::string(limits::path_bytes, 'a')));
}

}  // namespace
}  // namespace cidbus
