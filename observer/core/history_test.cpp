#include "observer/core/history.h"

#include <gtest/gtest.h>

#include <limits>

namespace cidbus {
namespace {

constexpr std::int64_t start = 1'700'000'400;  // a multiple of 60
WallTime at(std::int64_t second) { return {(start + second) * 1000}; }
const SeriesName busy{"w1", "slots_busy"};

Sample sample(std::int64_t second, double value) { return {"w1", "slots_busy", at(second), value}; }

TEST(History, RollsSecondsUpToMinutesAndHours) {
  History history;
  for (int second = 0; second < 120; ++second) EXPECT_TRUE(history.add(sample(second, second)));
  const auto seconds = history.range(busy, Resolution::Second, start + 10, start + 12);
  ASSERT_EQ(seconds.size(), 2U);
  EXPECT_EQ(seconds[0].last, 10);
  const auto minutes = history.range(busy, Resolution::Minute, start, start + 3600);
  ASSERT_EQ(minutes.size(), 2U);
  EXPECT_EQ(minutes[1].minimum, 60);
  EXPECT_EQ(minutes[1].maximum, 119);
  EXPECT_EQ(minutes[1].count, 60U);
  EXPECT_DOUBLE_EQ(minutes[0].average(), 29.5);
  std::uint64_t points = 0;
  for (const Bucket& hour : history.range(busy, Resolution::Hour, 0, start + 7200)) points += hour.count;
  EXPECT_EQ(points, 120U);
}

TEST(History, APointOlderThanTheNewestAndWhatIsNoNumberCountNowhere) {
  History history;
  EXPECT_TRUE(history.add(sample(5, 1)));
  EXPECT_FALSE(history.add(sample(4, 9)));
  EXPECT_FALSE(history.add(sample(6, std::numeric_limits<double>::quiet_NaN())));
  EXPECT_TRUE(history.add(sample(5, 2)));
  ASSERT_NE(history.newest(busy), nullptr);
  EXPECT_EQ(history.newest(busy)->value, 2);
  EXPECT_EQ(history.range(busy, Resolution::Second, 0, start + 60).size(), 1U);
}

TEST(History, IsBoundedInPointsAndInSeries) {
  History history;
  for (std::int64_t second = 0; second < 4 * 3600; ++second) history.add(sample(second, 1));
  EXPECT_EQ(history.range(busy, Resolution::Second, 0, start * 2).size(), limits::history_seconds);
  EXPECT_EQ(history.range(busy, Resolution::Minute, 0, start * 2).size(), limits::history_minutes);
  for (std::size_t number = 1; number < limits::history_series; ++number)
    ASSERT_TRUE(history.add({"n" + std::to_string(number), "x", at(0), 1}));
  EXPECT_FALSE(history.add({"one more", "x", at(0), 1}));
  EXPECT_EQ(history.refused(), 1U);
  EXPECT_TRUE(history.add(sample(4 * 3600, 1))) << "those there go on";
  history.forget_silent(at(4 * 3600));
  EXPECT_EQ(history.names(), std::vector<SeriesName>{busy});
}

TEST(History, WhatChangedIsToldWholeAndRestoresTheSame) {
  History history;
  for (int second = 0; second < 100; ++second) history.add(sample(second, second));
  history.add({"w2", "slots_busy", at(20), 1});
  const auto changed = history.changed_since(start + 70);
  ASSERT_EQ(changed.size(), 1U) << "w2 has nothing new";
  EXPECT_EQ(changed[0].seconds.size(), 30U);
  ASSERT_EQ(changed[0].minutes.size(), 1U);
  EXPECT_EQ(changed[0].minutes[0].count, 40U) << "the whole minute, with what was told before";
  History again;
  for (const SeriesPart& part : history.changed_since(0)) again.restore(part);
  EXPECT_EQ(again.names(), history.names());
  for (const Resolution resolution : {Resolution::Second, Resolution::Minute, Resolution::Hour}) {
    const auto before = history.range(busy, resolution, 0, start * 2);
    const auto after = again.range(busy, resolution, 0, start * 2);
    ASSERT_EQ(before.size(), after.size());
    for (std::size_t at = 0; at < before.size(); ++at) EXPECT_EQ(before[at].sum, after[at].sum);
  }
}

}  // namespace
}  // namespace cidbus
