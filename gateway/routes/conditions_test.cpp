#include "gateway/routes/conditions.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

constexpr std::string_view tag = "\"bafy\"";

std::vector<HttpRange> ranges_of(const std::string& header, ByteCount size) {
  const auto verdict = judge_range({{}, {}, {}, header}, tag, size);
  const auto* ranges = std::get_if<std::vector<HttpRange>>(&verdict);
  return ranges != nullptr ? *ranges : std::vector<HttpRange>();
}
bool is_ignored(const std::string& header, ByteCount size) {
  return std::holds_alternative<std::monostate>(judge_range({{}, {}, {}, header}, tag, size));
}
bool is_unsatisfiable(const std::string& header, ByteCount size) {
  return std::holds_alternative<Unsatisfiable>(judge_range({{}, {}, {}, header}, tag, size));
}
Precondition none_match(const std::string& list) { return judge_preconditions({{}, list, {}, {}}, tag); }
Precondition match(const std::string& list) { return judge_preconditions({list, {}, {}, {}}, tag); }

using Ranges = std::vector<HttpRange>;

TEST(Range, counts_from_the_front_inclusively) {
  EXPECT_EQ(ranges_of("bytes=0-0", 10), (Ranges{{0, 0}}));
  EXPECT_EQ(ranges_of("bytes=6-8", 10), (Ranges{{6, 8}}));
  EXPECT_EQ(ranges_of("bytes=6-", 10), (Ranges{{6, 9}}));
  EXPECT_EQ(ranges_of("BYTES=9-9", 10), (Ranges{{9, 9}}));
}

TEST(Range, is_cut_at_the_end_of_the_content) {
  EXPECT_EQ(ranges_of("bytes=5-1000", 10), (Ranges{{5, 9}}));
  EXPECT_EQ(ranges_of("bytes=5-99999999999999999999999999", 10), (Ranges{{5, 9}}));
  EXPECT_EQ(ranges_of("bytes=-99999999999999999999999999", 10), (Ranges{{0, 9}}));
}

TEST(Range, counts_a_suffix_from_the_end) {
  EXPECT_EQ(ranges_of("bytes=-3", 10), (Ranges{{7, 9}}));
  EXPECT_EQ(ranges_of("bytes=-10", 10), (Ranges{{0, 9}}));
  EXPECT_EQ(ranges_of("bytes=-11", 10), (Ranges{{0, 9}}));
}

TEST(Range, behind_the_end_cannot_be_satisfied) {
  EXPECT_TRUE(is_unsatisfiable("bytes=10-", 10));
  EXPECT_TRUE(is_unsatisfiable("bytes=10-20,30-", 10));
  EXPECT_TRUE(is_unsatisfiable("bytes=99999999999999999999999999-", 10));
  EXPECT_TRUE(is_unsatisfiable("bytes=-0", 10));
  EXPECT_TRUE(is_unsatisfiable("bytes=0-", 0));
  EXPECT_TRUE(is_unsatisfiable("bytes=-0", 0));
}

TEST(Range, of_an_empty_contents_last_bytes_is_the_whole) { EXPECT_TRUE(is_ignored("bytes=-5", 0)); }

TEST(Range, that_is_not_understood_is_ignored) {
  for (const char* header :
       {"", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=a-b", "bytes=5-4", "bytes=1", "bytes=1-2-3",
        "items=0-1", "bytes=0x1-2", "bytes=+1-2", "bytes =0-1", "bytes=0-1,x"}) {
    EXPECT_TRUE(is_ignored(header, 10)) << header;
  }
}

TEST(Range, of_several_parts_keeps_their_order_and_drops_those_behind_the_end) {
  EXPECT_EQ(ranges_of("bytes=6-8, 0-1", 10), (Ranges{{6, 8}, {0, 1}}));
  EXPECT_EQ(ranges_of("bytes=6-8,10-,-1", 10), (Ranges{{6, 8}, {9, 9}}));
}

TEST(Range, that_asks_for_more_than_the_content_is_answered_with_the_whole) {
  EXPECT_TRUE(is_ignored("bytes=0-9,0-9", 10));
  EXPECT_TRUE(is_ignored("bytes=0-,1-,2-", 10));
}

TEST(Range, of_too_many_parts_is_answered_with_the_whole) {
  std::string header = "bytes=0-0";
  for (int at = 1; at < 16; ++at) header += "," + std::to_string(at) + "-" + std::to_string(at);
  EXPECT_EQ(ranges_of(header, 1000).size(), 16U);
  EXPECT_TRUE(is_ignored(header + ",16-16", 1000));
}

TEST(Range, holds_only_while_if_range_names_the_same_content) {
  const auto verdict = [](const std::string& if_range) {
    return judge_range({{}, {}, if_range, "bytes=0-1"}, tag, 10).index();
  };
  EXPECT_EQ(verdict("\"bafy\""), 2U);
  EXPECT_EQ(verdict("\"other\""), 0U);
  EXPECT_EQ(verdict("W/\"bafy\""), 0U);
  EXPECT_EQ(verdict("Wed, 21 Oct 2015 07:28:00 GMT"), 0U);
}

TEST(Preconditions, if_none_match_compares_weakly_in_lists) {
  EXPECT_EQ(none_match("\"bafy\""), Precondition::NotModified);
  EXPECT_EQ(none_match("W/\"bafy\""), Precondition::NotModified);
  EXPECT_EQ(none_match("*"), Precondition::NotModified);
  EXPECT_EQ(none_match("\"a\", W/\"b,c\" ,\"bafy\""), Precondition::NotModified);
  EXPECT_EQ(none_match("\"a\",,\"bafy\""), Precondition::NotModified);
}

TEST(Preconditions, a_tag_that_is_not_listed_or_a_list_that_is_none_holds) {
  for (const char* list :
       {"", "\"bafy", "bafy", "\"baf\"", "\"bafyb\"", "W/", "\"", "\"a,\"bafy", "w/\"bafy\""}) {
    EXPECT_EQ(none_match(list), Precondition::Holds) << list;
  }
}

TEST(Preconditions, if_match_compares_strongly) {
  EXPECT_EQ(match("\"a\", \"bafy\""), Precondition::Holds);
  EXPECT_EQ(match("*"), Precondition::Holds);
  EXPECT_EQ(match("W/\"bafy\""), Precondition::Failed);
  EXPECT_EQ(match("\"a\""), Precondition::Failed);
}

}  // namespace
}  // namespace cidbus
