// Digests checked against FIPS 180-2 and RFC 7693's function at 32 bytes, and against the tools people have.

#include "worker/handlers/hash.h"

#include <gmock/gmock.h>

#include "worker/handlers/map_content.h"

namespace cidbus {
namespace {

using ::testing::HasSubstr;

std::string digest_of(HandlerBench& bench, std::string_view text, const std::string& algorithm) {
  const auto output = bench.run({bench.content.add(text)}, {{"algorithm", algorithm}});
  if (!output) return output.error().message;
  EXPECT_EQ(output->values[0], std::make_pair(std::string("algorithm"), algorithm));
  EXPECT_EQ(output->values[2].second, std::to_string(text.size()));
  EXPECT_EQ(output->values[1].first, "digest");
  return output->values[1].second;
}

TEST(Hash, GivesThePublishedDigests) {
  HandlerBench bench{make_hash()};
  EXPECT_EQ(digest_of(bench, "abc", "sha2-256"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest_of(bench, "abc", "sha2-512"),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  EXPECT_EQ(digest_of(bench, "abc", "blake2b-256"),
            "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

TEST(Hash, OfNothingIsTheDigestOfTheEmptyFile) {
  HandlerBench bench{make_hash()};
  EXPECT_EQ(digest_of(bench, "", "sha2-256"),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(digest_of(bench, "", "blake2b-256"),
            "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
}

TEST(Hash, OfAFileInManyPiecesIsThatOfTheWhole) {
  HandlerBench bench{make_hash()};
  const std::string million(1'000'000, 'a');
  EXPECT_EQ(digest_of(bench, million, "sha2-256"),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Hash, IsSha2256WhenNothingElseIsSaid) {
  HandlerBench bench{make_hash()};
  const auto output = bench.run({bench.content.add("abc")}, {});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->values[0].second, "sha2-256");
}

TEST(Hash, RefusesWhatItDoesNotKnow) {
  HandlerBench bench{make_hash()};
  const Cid file = bench.content.add("abc");
  EXPECT_EQ(bench.refusal({file}, {{"algorithm", "md5"}}),
            "hash: algorithm cannot be 'md5'; give one of sha2-256, sha2-512, blake2b-256");
  EXPECT_EQ(bench.refusal({file}, {{"\xc3\xa4lgorithm", "md5"}}),
            "hash: unknown parameter '\xc3\xa4lgorithm'; it takes algorithm");
  EXPECT_EQ(bench.refusal({}, {}), "hash takes exactly one input, not 0; submit one task a file");
  EXPECT_EQ(bench.refusal({file, file}, {}), "hash takes exactly one input, not 2; submit one task a file");
}

TEST(Hash, PassesOnThatNobodyHoldsTheInput) {
  HandlerBench bench{make_hash()};
  EXPECT_THAT(bench.refusal({Cid::v1(Codec::Raw, sha2_256(as_bytes("gone")))}, {}, FaultKind::NotFound),
              HasSubstr("nobody holds"));
}

TEST(Hash, StopsAtTheNextPieceOnceCancelled) {
  HandlerBench bench{make_hash()};
  int pieces = 0;
  bench.content.on_read = [&] {
    if (++pieces == 3) bench.cancelled.cancel();
  };
  const Cid file = bench.content.add(std::string(100 * MapContent::piece, 'x'));
  EXPECT_EQ(bench.refusal({file}, {}, FaultKind::TryAgain), "hash: stopped before it was done");
  EXPECT_EQ(pieces, 3);
}

}  // namespace
}  // namespace cidbus
