#include "shared/content/quote.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

TEST(InQuotes, KeepsPlainAndUnicodeText) {
  EXPECT_EQ(in_quotes("photo 1.jpg"), "'photo 1.jpg'");
  EXPECT_EQ(in_quotes("\u0105\U0001F600"), "'\u0105\U0001F600'");
  EXPECT_EQ(in_quotes(""), "''");
}

TEST(InQuotes, IsOneLineWhateverTheNameHolds) {
  EXPECT_EQ(in_quotes("a\nb\x1b[31m"), "'a\\x0ab\\x1b[31m'");
  EXPECT_EQ(in_quotes(std::string("a\0b", 3)), "'a\\x00b'");
  EXPECT_EQ(in_quotes("back\\slash"), "'back\\x5cslash'");
}

TEST(InQuotes, EscapesWhatMovesTheCursorOrTurnsTheDirection) {
  EXPECT_EQ(in_quotes("a\u009bb"), "'a\\xc2\\x9bb'");
  EXPECT_EQ(in_quotes("a\u202eb\u2066\u2028\u200f"),
            "'a\\xe2\\x80\\xaeb\\xe2\\x81\\xa6\\xe2\\x80\\xa8\\xe2\\x80\\x8f'");
  EXPECT_EQ(in_quotes("\u00a0\u200b\u2065\u206a"), "'\u00a0\u200b\u2065\u206a'") << "beside the bounds";
  EXPECT_EQ(escaped("a\\b\n" + std::string(1000, 'x')), "a\\b\\x0a" + std::string(1000, 'x'));
}

TEST(InQuotes, EscapesWhatIsNotUtf8) {
  EXPECT_EQ(in_quotes("caf\xe9"), "'caf\\xe9'");
  EXPECT_EQ(in_quotes("\xc0\xaf"), "'\\xc0\\xaf'") << "overlong";
  EXPECT_EQ(in_quotes("\xe0\x80\x80"), "'\\xe0\\x80\\x80'") << "overlong";
  EXPECT_EQ(in_quotes("\xed\xa0\x80"), "'\\xed\\xa0\\x80'") << "surrogate";
  EXPECT_EQ(in_quotes("\xf4\x90\x80\x80"), "'\\xf4\\x90\\x80\\x80'") << "beyond Unicode";
  EXPECT_EQ(in_quotes("\xf0\x9f\x98"), "'\\xf0\\x9f\\x98'") << "cut short";
}

TEST(PlainLines, AreThoseThatNeedNoEscape) {
  for (const char* good : {"", "a b", "back\\slash", "\u0105\U0001F600"})
    EXPECT_TRUE(is_plain_line(good)) << good;
  for (const char* bad : {"a\nb", "\x7f", "caf\xe9", "a\u202eb"}) EXPECT_FALSE(is_plain_line(bad)) << bad;
}

TEST(InQuotes, CutsTheLongAtACharacter) {
  const std::string text = in_quotes(std::string(quoted_bytes - 2, 'a') + "\u0105" + std::string(1000, 'b'));
  EXPECT_EQ(text, "'" + std::string(quoted_bytes - 2, 'a') + "...'");
}

}  // namespace
}  // namespace cidbus
