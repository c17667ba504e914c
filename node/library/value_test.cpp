#include "cidbus/cluster/value.h"

#include <gtest/gtest.h>

#include <limits>

namespace cidbus::v1 {
namespace {

TEST(ClusterValue, JsonGivesBackWhatItWasMadeOf) {
  const Value value(Dict{{"null", Value()},
                         {"yes", true},
                         {"whole", std::int64_t{-9'007'199'254'740'993}},
                         {"decimal", 0.1},
                         {"text", "gr\xc3\xbc\xc3\x9f\n\"dich\""},
                         {"list", List{1, "two", List{}}},
                         {"dict", Dict{{"in", Dict{}}}}});
  const auto parsed = parse_json(to_json(value));
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(*parsed, value);
  EXPECT_EQ(to_json(value).find('\n'), std::string::npos) << "it is one line";
}

TEST(ClusterValue, WhatIsNoJsonIsBadData) {
  for (const char* text : {"", "{", "nan", "{\"a\":}", "1 2"}) {
    const auto parsed = parse_json(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, FaultKind::BadData);
  }
  EXPECT_FALSE(parse_json(std::string(40, '[') + std::string(40, ']'))) << "40 deep";
  EXPECT_EQ(to_json(std::numeric_limits<double>::infinity()), "null");
}

TEST(ClusterValue, IsAskedWithoutKnowingItsKind) {
  const Value value(Dict{{"a", Dict{{"b", 2}}}});
  EXPECT_EQ(value["a"]["b"].number(), 2);
  EXPECT_TRUE(value["a"]["c"]["d"].is_null());
  EXPECT_EQ(value["a"]["b"].text(), nullptr);
  EXPECT_EQ(value["a"]["b"]["c"].number(7), 7);
}

TEST(ClusterValue, IsShownToPeople) {
  EXPECT_EQ(Value("text").shown(), "text");
  EXPECT_EQ(Value().shown(), "");
  EXPECT_EQ(Value(320).shown(), "320");
  EXPECT_EQ(Value(90.5).shown(), "90.5");
  EXPECT_EQ(Value(List{1, 2}).shown(), "[1,2]");
}

}  // namespace
}  // namespace cidbus::v1
