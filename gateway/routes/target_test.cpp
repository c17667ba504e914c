#include "gateway/routes/target.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

TEST(PercentDecode, decodes_once_and_leaves_plus_alone) {
  EXPECT_EQ(percent_decode("a+b"), "a+b");
  EXPECT_EQ(percent_decode("%252C"), "%2C");
  EXPECT_EQ(percent_decode("%c5%BA"), "ź");
  EXPECT_EQ(percent_decode("%00"), std::string(1, '\0'));
  EXPECT_EQ(percent_decode(""), "");
}

TEST(PercentDecode, refuses_half_a_code) {
  for (const char* text : {"%", "%1", "a%zz", "%g0", "%0g", "%-1"})
    EXPECT_FALSE(percent_decode(text)) << text;
}

TEST(PercentEncodeSegment, gives_back_any_bytes_and_no_separator) {
  std::string every_byte;
  for (int byte = 0; byte < 256; ++byte) every_byte += static_cast<char>(byte);
  const std::string encoded = percent_encode_segment(every_byte);
  EXPECT_EQ(percent_decode(encoded), every_byte);
  EXPECT_EQ(encoded.find_first_of("/?#%\"<>\\ "), encoded.find('%'));
  EXPECT_EQ(percent_encode_segment("a+b,c=d@e~"), "a+b,c=d@e~");
}

TEST(SplitTarget, takes_origin_and_absolute_form) {
  const auto origin = split_target("/a%2Fb?x=1?2");
  ASSERT_TRUE(origin);
  EXPECT_EQ(origin->path, "/a%2Fb");
  EXPECT_EQ(origin->query, "x=1?2");
  EXPECT_EQ(split_target("http://host:1/a?b")->path, "/a");
  EXPECT_EQ(split_target("http://host?b")->path, "/");
  EXPECT_EQ(split_target("http://host?b")->query, "b");
  EXPECT_EQ(split_target("http://host")->path, "/");
}

TEST(SplitTarget, refuses_other_forms) {
  for (const char* target : {"", "*", "host:443", "a/b", "ftp://host/a"}) EXPECT_FALSE(split_target(target));
}

TEST(ParseQuery, decodes_pairs_in_order) {
  const auto query = parse_query("a=1&&b=x+y%2B%26&c&d=&=e&a=2&f=%zz");
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"a", "1"}, {"b", "x y+&"}, {"c", ""}, {"d", ""}, {"", "e"}, {"a", "2"}, {"f", "%zz"}};
  EXPECT_EQ(query, expected);
}

}  // namespace
}  // namespace cidbus
