#include "observer/core/bucket.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

std::vector<Bucket> points(std::initializer_list<double> values) {
  std::vector<Bucket> buckets;
  for (const double value : values)
    buckets.push_back(bucket_of(1000 + static_cast<std::int64_t>(buckets.size()), value));
  return buckets;
}

TEST(Figures, NothingComesOfNothing) { EXPECT_FALSE(figures_of({})); }

TEST(Figures, AreThoseOfAllPoints) {
  std::vector<Bucket> buckets;
  for (int value = 100; value >= 1; --value) buckets.push_back(bucket_of(2000 - value, value));
  const auto figures = figures_of(buckets);
  ASSERT_TRUE(figures);
  EXPECT_EQ(figures->count, 100U);
  EXPECT_DOUBLE_EQ(figures->average, 50.5);
  EXPECT_EQ(figures->minimum, 1);
  EXPECT_EQ(figures->maximum, 100);
  EXPECT_EQ(figures->last, 1);
  EXPECT_EQ(figures->p50, 50);
  EXPECT_EQ(figures->p95, 95);
  EXPECT_EQ(figures->p99, 99);
  EXPECT_DOUBLE_EQ(figures->trend, -1);
}

TEST(Figures, OfBucketsWeighEachByItsPoints) {
  Bucket many = bucket_of(60, 10);
  for (int more = 0; more < 8; ++more) many.add(10);
  const std::vector<Bucket> buckets{many, bucket_of(120, 100)};
  const auto figures = figures_of(buckets);
  EXPECT_EQ(figures->count, 10U);
  EXPECT_DOUBLE_EQ(figures->average, 19);
  EXPECT_EQ(figures->p50, 10);
  EXPECT_EQ(figures->p99, 100);
}

TEST(Figures, TheRateOfACounterBearsThatItStartsAgain) {
  EXPECT_DOUBLE_EQ(figures_of(points({100, 110, 120, 5, 15}))->rate, (10 + 10 + 5 + 10) / 4.0);
  EXPECT_EQ(figures_of(points({7}))->rate, 0);
}

TEST(Figures, TheTrendIsOfAllPointsNotOfTheEnds) {
  // The ends are equal; between them it rises.
  EXPECT_GT(figures_of(points({5, 1, 2, 3, 4, 5}))->trend, 0);
  EXPECT_EQ(figures_of(points({3, 3, 3}))->trend, 0);
  EXPECT_EQ(figures_of(points({3}))->trend, 0);
}

TEST(Resolution, HasNamesAndSpans) {
  for (const Resolution resolution : {Resolution::Second, Resolution::Minute, Resolution::Hour})
    EXPECT_EQ(parse_resolution(to_text(resolution)), resolution);
  EXPECT_FALSE(parse_resolution("day"));
  EXPECT_EQ(span_start(7325, Resolution::Minute), 7320);
  EXPECT_EQ(span_start(7325, Resolution::Hour), 7200);
}

// Seconds are kept since 86400, minutes since 7200 and hours since 0, or all since something was measured.
TEST(FinestResolution, IsTheFinestThatLacksNothingOfTheWindowAndIsNotTooMuch) {
  const KeptSince kept{86'400, 7200, 0};
  using enum Resolution;
  EXPECT_EQ(finest_resolution(86'400, 90'000, kept, 3600), Second);
  EXPECT_EQ(finest_resolution(86'399, 86'460, kept, 3600), Minute) << "seconds do not reach back so far";
  EXPECT_EQ(finest_resolution(86'400, 90'001, kept, 3600), Minute) << "too many seconds";
  EXPECT_EQ(finest_resolution(3600, 7300, kept, 10'000), Hour) << "nor do minutes";
  const KeptSince young{4020, 4020, 3600};
  EXPECT_EQ(finest_resolution(1000, 4500, young, 3600), Second) << "nothing was measured before";
  EXPECT_EQ(finest_resolution(0, 10, {nothing_kept, nothing_kept, nothing_kept}, 3600), Second);
  EXPECT_EQ(finest_resolution(0, 10, {nothing_kept, nothing_kept, 0}, 3600), Hour);
}

}  // namespace
}  // namespace cidbus
