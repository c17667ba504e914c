#include "client/command/latencies.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "shared/base/prng.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;

TEST(Latencies, GiveZeroOfNone) {
  const Latencies none;
  EXPECT_EQ(none.percentile(50), 0ns);
  EXPECT_EQ(none.longest(), 0ns);
}

TEST(Latencies, AreExactWhereTheyAreShortAndWithinAHundredthWhereTheyAreLong) {
  for (std::int64_t taken = 0; taken < 2'000'000'000; taken = taken * 21 / 20 + 1) {
    Latencies one;
    one.add(Duration(taken));
    one.add(1h);  // so that the first is not the longest
    const auto told = one.percentile(50).count();
    EXPECT_GE(told, taken);
    EXPECT_LE(told - taken, taken / 100) << taken;
  }
}

TEST(Latencies, GiveThePercentilesOfTheSortedList) {
  Prng prng(7);
  std::vector<std::int64_t> all;
  Latencies latencies;
  for (int i = 0; i < 10'000; ++i) {
    all.push_back(static_cast<std::int64_t>(prng.between(1'000, 50'000'000)));
    latencies.add(Duration(all.back()));
  }
  std::sort(all.begin(), all.end());
  for (const double percent : {1.0, 50.0, 90.0, 99.0, 99.9}) {
    const auto exact = static_cast<double>(all[static_cast<std::size_t>(percent * 100) - 1]);
    EXPECT_NEAR(static_cast<double>(latencies.percentile(percent).count()), exact, exact / 100) << percent;
  }
  EXPECT_EQ(latencies.percentile(100).count(), all.back());
  EXPECT_EQ(latencies.longest().count(), all.back());
  EXPECT_EQ(latencies.count(), 10'000u);
}

TEST(Latencies, CountWhatTookLongerThanAnHourAsAnHour) {
  Latencies latencies;
  latencies.add(5h);
  EXPECT_EQ(latencies.longest(), 1h);
}

}  // namespace
}  // namespace cidbus
