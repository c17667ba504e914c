#include "shared/content/multihash.h"

#include <gtest/gtest.h>

#include <map>
#include <sstream>

#include "shared/content/test_support.h"

namespace cidbus {
namespace {

using content_test::fixture;
using content_test::from_hex;
using content_test::read_lines;
using content_test::to_hex;

TEST(Multihash, WellKnownDigestsOfNothing) {
  EXPECT_EQ(to_hex(sha2_256({}).bytes()),
            "1220e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(hash_content(HashCode::Sha2_512, {})->bytes()).substr(0, 20), "1340cf83e1357eefb8bd");
  EXPECT_EQ(to_hex(hash_content(HashCode::Blake2b_256, {})->bytes()),
            "a0e402200e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
  EXPECT_EQ(to_hex(hash_content(HashCode::Identity, as_bytes("foo"))->bytes()), "0003666f6f");
}

TEST(Multihash, PublicVectorsOfTheFunctionsComputedHere) {
  const auto path = fixture("multiformats/multihash/test_cases.csv");
  SKIP_WITHOUT_FIXTURE(path);
  int whole = 0;
  for (const std::string& line : read_lines(path)) {
    std::istringstream in(line);
    std::string name, bits, input, expected;
    std::getline(in, name, ',');
    std::getline(in, bits, ',');
    std::getline(in, input, ',');
    std::getline(in, expected, ',');
    if (name != "sha2-256" && name != "sha2-512") continue;
    const auto multihash = Multihash::from_bytes(from_hex(expected));
    ASSERT_TRUE(multihash) << line;
    const int size = std::stoi(bits) / 8;
    EXPECT_EQ(multihash->digest().size(), static_cast<std::size_t>(size));
    EXPECT_EQ(verify(*multihash, as_bytes(input)).has_value(), size >= 20) << line;
    EXPECT_FALSE(verify(*multihash, as_bytes(input + "x"))) << line;
    if (size != (name == "sha2-256" ? 32 : 64)) continue;
    EXPECT_EQ(to_hex(hash_content(multihash->code(), as_bytes(input))->bytes()), expected);
    ++whole;
  }
  EXPECT_EQ(whole, 40);
}

TEST(Multihash, ContentThatWasChangedIsRefused) {
  for (const HashCode code :
       {HashCode::Identity, HashCode::Sha2_256, HashCode::Sha2_512, HashCode::Blake2b_256}) {
    const auto multihash = hash_content(code, as_bytes("hello"));
    ASSERT_TRUE(multihash);
    EXPECT_TRUE(verify(*multihash, as_bytes("hello"))) << to_text(code);
    EXPECT_FALSE(verify(*multihash, as_bytes("hellp"))) << to_text(code);
    EXPECT_FALSE(verify(*multihash, as_bytes("hello "))) << to_text(code);
    EXPECT_FALSE(verify(*multihash, {})) << to_text(code);
  }
}

TEST(Multihash, AFunctionUnknownHereIsCarriedButProvesNothing) {
  const auto sha3 = Multihash::from_bytes(from_hex("140a9a7a8207a57d03e9c524"));
  ASSERT_TRUE(sha3);
  EXPECT_EQ(to_text(sha3->code()), "hash function 0x14");
  const auto status = verify(*sha3, {});
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message,
            "cannot be checked: hash function 0x14 is not known here; sha2-256, sha2-512, blake2b-256 are");
}

TEST(Multihash, ADigestLongerThanItsFunctionGivesIsRefused) {
  Bytes digest = to_bytes(sha2_256({}).digest());
  digest.push_back(0);
  EXPECT_FALSE(verify(Multihash(HashCode::Sha2_256, digest), {}));
}

TEST(Multihash, IdentityStopsAt128Bytes) {
  EXPECT_TRUE(hash_content(HashCode::Identity, Bytes(limits::digest_bytes)));
  EXPECT_FALSE(hash_content(HashCode::Identity, Bytes(limits::digest_bytes + 1)));
  Bytes bytes = {0x00, 0x81, 0x01};
  bytes.resize(bytes.size() + 129);
  EXPECT_FALSE(Multihash::from_bytes(bytes));
}

TEST(Multihash, RefusesTruncatedNonMinimalAndTrailing) {
  for (const char* text :
       {"", "12", "1220", "1220ff", "8012", "920020", "120001", "ffffffffffffffffffff00"}) {
    EXPECT_FALSE(Multihash::from_bytes(from_hex(text))) << text;
  }
}

TEST(CompactBytes, CopiesAndMovesKeepShortAndLongBytes) {
  for (const std::size_t size : {0U, 1U, 34U, 36U, 38U, 39U, 68U, 140U, 255U}) {
    Bytes content(size);
    for (std::size_t at = 0; at < size; ++at) content[at] = static_cast<std::uint8_t>(at * 7 + 1);
    CompactBytes first{ByteView(content)};
    first.set_mark(3);
    const CompactBytes copy = first;
    EXPECT_EQ(copy, first);
    CompactBytes other{as_bytes(std::string_view("something else that is longer than inline bytes are"))};
    other = copy;
    EXPECT_EQ(to_bytes(other.view()), content);
    EXPECT_EQ(other.mark(), 3);
    CompactBytes moved = std::move(other);
    EXPECT_EQ(to_bytes(moved.view()), content);
    moved = std::move(first);
    EXPECT_EQ(to_bytes(moved.view()), content);
    EXPECT_EQ(moved.hash(), copy.hash());
    auto& self = moved;
    moved = self;
    EXPECT_EQ(to_bytes(moved.view()), content);
  }
}

}  // namespace
}  // namespace cidbus
