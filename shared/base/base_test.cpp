#include <gtest/gtest.h>

#include "shared/base/bytes.h"
#include "shared/base/ensure.h"
#include "shared/base/ids.h"
#include "shared/base/outbox_id.h"
#include "shared/base/prng.h"
#include "shared/base/result.h"
#include "shared/base/time.h"

namespace cidbus {
namespace {

TEST(TaskIdText, RoundTripsAndRefusesAnythingElse) {
  for (const std::uint64_t value : {1ULL, 31ULL, 32ULL, 1234567ULL, ~0ULL}) {
    EXPECT_EQ(parse_task_id(to_text(TaskId{value})), TaskId{value});
  }
  EXPECT_EQ(to_text(TaskId{42}), "t1a");
  EXPECT_EQ(to_text(outbox_item(42)), "o1a");
  EXPECT_EQ(parse_task_id("o1a"), outbox_item(42));
  for (const char* text : {"", "t", "t0", "x1", "t01", "tU", "t1 ", "o", "o0", "o01", "o8000000000000",
                           "tzzzzzzzzzzzzzz", "tzzzzzzzzzzzzz"}) {
    EXPECT_FALSE(parse_task_id(text)) << text;
  }
}

TEST(Names, AllowOnlyPlainCharactersAndABoundedLength) {
  EXPECT_TRUE(is_valid_name("w1.rack-2_a"));
  EXPECT_FALSE(is_valid_name(""));
  EXPECT_FALSE(is_valid_name("a b"));
  EXPECT_FALSE(is_valid_name("n\xc3\xa9"));
  EXPECT_FALSE(is_valid_name(std::string(65, 'a')));
}

TEST(ClusterIds, AreFnv1a) { EXPECT_EQ(cluster_id("a").value, 0xaf63dc4c8601ec8cULL); }

TEST(ByteReader, GivesBackWhatWasWritten) {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.number<std::uint16_t>(0xbeef);
  writer.varint(300);
  writer.sized("text");
  ByteReader reader(bytes);
  EXPECT_EQ(reader.number<std::uint16_t>(), 0xbeef);
  EXPECT_EQ(reader.varint(), 300u);
  EXPECT_EQ(reader.sized_text(), "text");
  EXPECT_TRUE(reader.complete());
}

TEST(ByteReader, FailsOnceAndStaysFailedOnATruncatedInput) {
  const Bytes bytes{5, 0, 0, 0, 'a'};
  ByteReader reader(bytes);
  EXPECT_TRUE(reader.sized().empty());
  EXPECT_TRUE(reader.failed());
  EXPECT_EQ(reader.number<std::uint8_t>(), 0);
  EXPECT_FALSE(reader.complete());
}

TEST(ByteReader, RefusesVarintsThatAreNotMinimalOrTooLong) {
  for (const Bytes& bytes : {Bytes{0x80, 0x00}, Bytes(10, 0x80), Bytes{0xff}}) {
    ByteReader reader(bytes);
    reader.varint();
    EXPECT_TRUE(reader.failed());
  }
}

TEST(Prng, ASeedReproducesItsStreamAndForksAreApart) {
  Prng one(7);
  Prng same(7);
  EXPECT_EQ(one(), same());
  Prng fork = one.fork();
  EXPECT_NE(fork(), one());
  for (int i = 0; i < 1000; ++i) {
    const auto value = one.between(3, 5);
    EXPECT_GE(value, 3u);
    EXPECT_LE(value, 5u);
  }
}

TEST(Time, PrintsAsRfc3339) {
  EXPECT_EQ(to_rfc3339(WallTime{1'700'000'000'042}), "2023-11-14T22:13:20.042Z");
  EXPECT_EQ(to_rfc3339(WallTime{951'782'400'000}), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(WallTime{253'402'300'799'999}), "9999-12-31T23:59:59.999Z");
  EXPECT_EQ(to_rfc3339(WallTime{}), "");
}

TEST(EnsureDeathTest, PrintsTheValuesOfABrokenCondition) {
  const int held = 3;
  EXPECT_DEATH(ENSURE(held == 4, "held", held), "held == 4.*held 3");
}

TEST(Faults, HaveTheExitCodesOfTheDesign) {
  EXPECT_EQ(exit_code(FaultKind::Unavailable), 69);
  EXPECT_EQ(exit_code(FaultKind::BadData), 65);
  EXPECT_EQ(exit_code(FaultKind::TimedOut), 124);
}

}  // namespace
}  // namespace cidbus
