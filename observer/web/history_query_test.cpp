#include "observer/web/history_query.h"

#include <gmock/gmock.h>

#include "shared/base/limits/web_page.h"

namespace cidbus {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t now_second = 1'700'000'000;
constexpr WallTime now{now_second * 1000};

HistoryQuestion parsed(const std::string& query, bool has_file = true) {
  auto result = parse_history_query(query, now, has_file);
  if (const auto* refusal = std::get_if<std::string>(&result)) ADD_FAILURE() << *refusal;
  return std::get<HistoryQuestion>(result);
}
std::string window(std::int64_t seconds_ago, std::int64_t length) {
  return "series=%2Fx&from=" + std::to_string(now_second - seconds_ago) +
         "&to=" + std::to_string(now_second - seconds_ago + length);
}
std::string refusal_of(const std::string& query) {
  const auto result = parse_history_query(query, now, true);
  const auto* refusal = std::get_if<std::string>(&result);
  return refusal == nullptr ? "taken" : *refusal;
}

TEST(HistoryQuery, IsReadAsBrowsersWriteIt) {
  const HistoryQuestion question = parsed("from=1699999900&to=1700000000&series=w+1%2Fa_b&series=%2Ftasks");
  EXPECT_EQ(question.from, 1'699'999'900);
  EXPECT_EQ(question.to, 1'700'000'000);
  ASSERT_EQ(question.series.size(), 2U);
  EXPECT_EQ(question.series[0], (SeriesName{"w 1", "a_b"}));
  EXPECT_EQ(question.series[1], (SeriesName{"", "tasks"}));
}

TEST(HistoryQuery, TakesTheFinestSpanThatIsKeptAndNotTooMuch) {
  EXPECT_EQ(parsed(window(3600, 3600)).resolution, Resolution::Second);
  EXPECT_EQ(parsed(window(24 * 3600 - 60, 60)).resolution, Resolution::Second);
  EXPECT_EQ(parsed(window(25 * 3600, 60)).resolution, Resolution::Minute);
  EXPECT_EQ(parsed(window(5000, 5000)).resolution, Resolution::Minute);
  EXPECT_EQ(parsed(window(31 * 24 * 3600, 3600)).resolution, Resolution::Hour);
  EXPECT_EQ(parsed(window(170, 170), false).resolution, Resolution::Second);
  EXPECT_EQ(parsed(window(600, 60), false).resolution, Resolution::Minute);
  EXPECT_EQ(parsed(window(5 * 3600, 60), false).resolution, Resolution::Hour);
}

TEST(HistoryQuery, TakesACoarserSpanWhereTheFileHasDroppedTheFinerBeforeItsTime) {
  HistoryQuestion question = parsed(window(3601, 3600));
  take_resolution(question, {now_second - 600, now_second - 86'400, now_second - 86'400});
  EXPECT_EQ(question.resolution, Resolution::Minute);
  EXPECT_EQ(question.from % 60, 0);
  take_resolution(question, {now_second - 86'400, now_second - 86'400, now_second - 86'400});
  EXPECT_EQ(question.resolution, Resolution::Minute) << "what was rounded stays so";
}

TEST(HistoryQuery, KnowsWhatMemoryHolds) {
  EXPECT_TRUE(is_in_memory(parsed(window(170, 170)), now));
  EXPECT_FALSE(is_in_memory(parsed(window(600, 60)), now));
}

TEST(HistoryQuery, WhatIsNoneIsRefusedWithTheReason) {
  EXPECT_THAT(refusal_of(""), HasSubstr("from and to"));
  EXPECT_THAT(refusal_of("from=9&to=9&series=%2Fx"), HasSubstr("from before to"));
  EXPECT_THAT(refusal_of("from=-1&to=9&series=%2Fx"), HasSubstr("from and to"));
  EXPECT_THAT(refusal_of("from=1&to=99999999999999999999&series=%2Fx"), HasSubstr("from and to"));
  EXPECT_THAT(refusal_of("from=1&to=900&series=x"), HasSubstr("NODE/SERIES"));
  EXPECT_THAT(refusal_of("from=1&to=900&series=w1%2F"), HasSubstr("NODE/SERIES"));
  EXPECT_THAT(refusal_of("from=1&to=900"), HasSubstr("series"));
  EXPECT_THAT(refusal_of("from=0&to=1700000000&series=%2Fx"), HasSubstr("4000 hours"));
  std::string many = "from=1&to=900";
  for (std::size_t at = 0; at <= limits::page_series; ++at) many += "&series=%2Fx";
  EXPECT_THAT(refusal_of(many), HasSubstr("from 1 to 12 series"));
  EXPECT_EQ(refusal_of("%%%=&&=%2&from=1&to=2&series=%zz%2Fx"), "taken");
}

TEST(HistoryQuery, AnswersColumnsOfOneTime) {
  const HistoryQuestion question{100, 110, Resolution::Second, {{"w1", "busy"}, {"", "done_total"}}};
  HistoryColumns columns(2);
  columns[0] = {bucket_of(101, 1), bucket_of(102, 2)};
  columns[1] = {bucket_of(99, 5), bucket_of(100, 7), bucket_of(102, 3)};
  EXPECT_EQ(history_answer(question, columns),
            R"({"step":1,"from":100,"times":[100,101,102],"series":[)"
            R"({"name":"w1/busy","values":[null,1,2]},{"name":"/done_total","values":[2,null,1.5]}]})");
}

TEST(HistoryQuery, NoLineCrossesATimeWithoutMeasuring) {
  const HistoryQuestion question{100, 200, Resolution::Second, {{"w1", "busy"}}};
  EXPECT_THAT(history_answer(question, {{bucket_of(100, 1), bucket_of(150, 2)}}),
              HasSubstr(R"("times":[100,101,150],"series":[{"name":"w1/busy","values":[1,null,2]})"));
}

TEST(HistoryQuery, MemoryStandsInFrontOfTheFile) {
  HistoryColumns older{{bucket_of(1, 1), bucket_of(2, 1)}, {bucket_of(1, 1)}};
  join_columns(older, {{bucket_of(2, 9), bucket_of(3, 9)}, {}});
  ASSERT_EQ(older[0].size(), 3U);
  EXPECT_EQ(older[0][1].last, 9);
  EXPECT_EQ(older[1].size(), 1U);
}

}  // namespace
}  // namespace cidbus
