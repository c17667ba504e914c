#include "client/command/json_writer.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

#include "shared/base/prng.h"

namespace cidbus {
namespace {

TEST(JsonWriter, PutsCommasWhereTheyBelong) {
  JsonWriter json;
  json.open_object()
      .name("a")
      .number(1)
      .name("b")
      .open_array()
      .string("x")
      .null()
      .boolean(true)
      .close_array();
  json.name("c").open_object().close_object().name("d").open_array().close_array().close_object();
  EXPECT_EQ(json.text(), R"({"a":1,"b":["x",null,true],"c":{},"d":[]})");
}

TEST(JsonWriter, EscapesWhatJsonAsksFor) {
  JsonWriter json;
  json.string("\"\\\n\r\t\x01 grüße \xf0\x9f\x98\x80");
  EXPECT_EQ(json.text(), "\"\\\"\\\\\\n\\r\\t\\u0001 grüße \xf0\x9f\x98\x80\"");
}

TEST(JsonWriter, WritesValidJsonWhateverBytesItIsGiven) {
  Prng chance(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (std::uint64_t length = chance.below(12); length > 0; --length) {
      // Mostly bytes that begin or continue sequences.
      const std::uint64_t byte = chance.chance(3, 4) ? chance.between(0x7e, 0xff) : chance.below(256);
      text += static_cast<char>(byte);
    }
    JsonWriter json;
    json.string(text);
    boost::json::error_code error;
    boost::json::parse(json.text(), error);  // strict about UTF-8
    ASSERT_FALSE(error) << error.message();
  }
}

TEST(JsonWriter, WritesDecimalsWithAsManyDigitsAsAsked) {
  JsonWriter json;
  json.open_array().decimal(0.5, 1).decimal(-12.3456, 2).decimal(1e6, 3).close_array();
  EXPECT_EQ(json.text(), "[0.5,-12.35,1000000.000]");
}

TEST(ValidUtf8, KeepsWhatIsWellFormedAndReplacesTheRest) {
  EXPECT_EQ(valid_utf8("a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80"), "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80");
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_EQ(valid_utf8("\xc0\xaf"), bad + bad);                      // overlong
  EXPECT_EQ(valid_utf8("\xed\xa0\x80"), bad + bad + bad);            // a surrogate
  EXPECT_EQ(valid_utf8("\xf4\x90\x80\x80"), bad + bad + bad + bad);  // beyond U+10FFFF
  EXPECT_EQ(valid_utf8("\xe2\x82"), bad + bad);                      // cut off
  EXPECT_EQ(valid_utf8(std::string_view("\0", 1)), std::string_view("\0", 1));
}

}  // namespace
}  // namespace cidbus
