#include "shared/content/multibase.h"

#include <gtest/gtest.h>

#include <optional>

#include "shared/base/prng.h"
#include "shared/content/test_support.h"

namespace cidbus {
namespace {

using content_test::fixture;
using content_test::read_lines;

constexpr Multibase all_bases[] = {Multibase::Base16,      Multibase::Base16Upper, Multibase::Base32,
                                   Multibase::Base32Upper, Multibase::Base36,      Multibase::Base36Upper,
                                   Multibase::Base58Btc,   Multibase::Base64Url};

std::optional<Multibase> base_named(const std::string& name) {
  static const std::map<std::string, Multibase> names = {
      {"base16", Multibase::Base16},       {"base16upper", Multibase::Base16Upper},
      {"base32", Multibase::Base32},       {"base32upper", Multibase::Base32Upper},
      {"base36", Multibase::Base36},       {"base36upper", Multibase::Base36Upper},
      {"base58btc", Multibase::Base58Btc}, {"base64url", Multibase::Base64Url}};
  const auto found = names.find(name);
  return found == names.end() ? std::nullopt : std::optional(found->second);
}

struct VectorFile {
  const char* name;
  std::string content;
  bool canonical;
};

class PublicVectors : public testing::TestWithParam<VectorFile> {};

TEST_P(PublicVectors, DecodeToTheContentAndEncodeBack) {
  const auto path = fixture(std::string("multiformats/multibase/tests/") + GetParam().name);
  SKIP_WITHOUT_FIXTURE(path);
  int used = 0;
  for (const std::string& line : read_lines(path)) {
    const auto base = base_named(line.substr(0, line.find(',')));
    if (!base) continue;
    const auto from = line.find('"') + 1;
    const std::string text = line.substr(from, line.rfind('"') - from);
    const auto bytes = decode_multibase(text);
    ASSERT_TRUE(bytes) << line << bytes.error().message;
    EXPECT_EQ(as_text(*bytes), GetParam().content) << line;
    if (GetParam().canonical) {
      EXPECT_EQ(encode_multibase(*base, as_bytes(GetParam().content)), text);
    }
    ++used;
  }
  EXPECT_GE(used, 6);
}

INSTANTIATE_TEST_SUITE_P(
    Multibase, PublicVectors,
    testing::Values(VectorFile{"basic.csv", "yes mani !", true},
                    VectorFile{"leading_zero.csv", std::string("\0yes mani !", 11), true},
                    VectorFile{"two_leading_zeros.csv", std::string("\0\0yes mani !", 12), true},
                    VectorFile{"case_insensitivity.csv", "hello world", false}));

TEST(Multibase, WellKnownTexts) {
  const ByteView content = as_bytes("yes mani !");
  EXPECT_EQ(encode_multibase(Multibase::Base32, content), "bpfsxgidnmfxgsibb");
  EXPECT_EQ(encode_multibase(Multibase::Base36, content), "k2lcpzo5yikidynfl");
  EXPECT_EQ(encode_multibase(Multibase::Base58Btc, content), "z7paNL19xttacUY");
  EXPECT_EQ(encode_multibase(Multibase::Base64Url, content), "ueWVzIG1hbmkgIQ");
  EXPECT_EQ(encode_multibase(Multibase::Base16Upper, content), "F796573206D616E692021");
}

TEST(Multibase, AnyBytesComeBackFromAnyBase) {
  Prng prng(1);
  for (std::size_t size = 0; size <= limits::cid_bytes; ++size) {
    Bytes bytes(size);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(prng.chance(1, 4) ? 0 : prng());
    for (const Multibase base : all_bases) {
      const std::string text = encode_multibase(base, bytes);
      ASSERT_LE(text.size(), limits::cid_length);
      const auto back = decode_multibase(text);
      ASSERT_TRUE(back) << text << ": " << back.error().message;
      ASSERT_EQ(*back, bytes) << text;
    }
  }
}

TEST(Multibase, RefusesWhatIsNotOfTheBase) {
  for (const char* text :
       {"", "x1234", "mYWJj", "b0", "b1", "bpfsxgidnmfxgsibb=", "bpfsx gidn", "z0", "zO", "zI", "zl", "fabc",
        "fg0", "k-", "u+", "u/", "uYWJj=", "\xf0\x9f\x9a\x80", "zZ\xc3\xa4"}) {
    EXPECT_FALSE(decode_multibase(text)) << text;
  }
}

TEST(Multibase, RefusesBitsLeftOverSoThatBytesHaveOneText) {
  EXPECT_TRUE(decode_multibase("bae"));
  EXPECT_FALSE(decode_multibase("baf")) << "bits behind the last byte are not zero";
  EXPECT_FALSE(decode_multibase("baaa")) << "a whole group too much";
  EXPECT_TRUE(decode_multibase("uAQ"));
  EXPECT_FALSE(decode_multibase("uAR"));
  EXPECT_FALSE(decode_multibase("uA"));
}

TEST(Multibase, RefusesTheOverlongBeforeDecoding) {
  EXPECT_TRUE(decode_multibase("z" + std::string(limits::cid_length, '2')));
  const auto fault = decode_multibase("z" + std::string(limits::cid_length + 1, '2'));
  ASSERT_FALSE(fault);
  EXPECT_EQ(fault.error().message, "289 characters, where 288 are the most");
  EXPECT_FALSE(decode_multibase("z" + std::string(10'000'000, '2')));
}

}  // namespace
}  // namespace cidbus
