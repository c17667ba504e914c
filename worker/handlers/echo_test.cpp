#include "worker/handlers/echo.h"

#include <gmock/gmock.h>

#include "worker/handlers/map_content.h"

namespace cidbus {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Echo, AnswersItsParametersInTheirOrderWhateverTheyAre) {
  HandlerBench bench{make_echo()};
  const NamedTexts parameters{
      {"z", "1"}, {"a", ""}, {"", "x"}, {"\xe5\x90\x8d\xe5\x89\x8d", "\xf0\x9f\x90\x99\n\0"}, {"a", "again"}};
  const auto output = bench.run({}, parameters);
  ASSERT_TRUE(output);
  EXPECT_EQ(output->values, parameters);
  EXPECT_THAT(output->cids, IsEmpty());
}

TEST(Echo, IgnoresInputsEvenThoseNobodyHolds) {
  HandlerBench bench{make_echo()};
  const auto output = bench.run({Cid::v1(Codec::Raw, sha2_256({}))}, {});
  ASSERT_TRUE(output);
  EXPECT_THAT(output->cids, IsEmpty());
}

TEST(Echo, FailsWithTheTextItIsGivenAndAsksForNoRetry) {
  HandlerBench bench{make_echo()};
  EXPECT_EQ(bench.refusal({}, {{"fail", "as asked"}}, FaultKind::Failed), "as asked");
}

TEST(Echo, WaitsAndIsWokenByItsToken) {
  HandlerBench bench{make_echo()};
  const auto output = bench.run({}, {{"delay_ms", "1"}});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->values, (NamedTexts{{"delay_ms", "1"}}));
  bench.cancelled.cancel();
  EXPECT_EQ(bench.refusal({}, {{"delay_ms", "600000"}}, FaultKind::TryAgain),
            "echo: stopped before it was done");
}

TEST(Echo, RefusesADelayThatIsNone) {
  HandlerBench bench{make_echo()};
  for (const char* delay : {"600001", "-1", "", "1s", " 1", "99999999999999999999", "\xd9\xa1"}) {
    EXPECT_THAT(bench.refusal({}, {{"delay_ms", delay}}), HasSubstr("give a whole number from 0 to 600000"));
  }
  EXPECT_EQ(bench.refusal({}, {{"delay_ms", "1"}, {"delay_ms", "2"}}),
            "echo: parameter delay_ms is given twice; give it once");
}

TEST(Echo, RefusesMoreThanAResultHolds) {
  HandlerBench bench{make_echo()};
  const std::string most(limits::result_bytes - 1, 'x');
  EXPECT_TRUE(bench.run({}, {{"a", most}}));
  EXPECT_EQ(bench.refusal({}, {{"ab", most}}), "echo: 65537 bytes of parameters; a result holds 65536");
}

}  // namespace
}  // namespace cidbus
