#include "client/command/line_reader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <vector>

#include "shared/base/prng.h"

namespace cidbus {
namespace {

class Lines : public ::testing::Test {
 protected:
  ~Lines() override {
    close(ends[0]);
    if (ends[1] >= 0) close(ends[1]);
  }
  void give(std::string_view text) {
    ASSERT_EQ(write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ASSERT_TRUE(reader.fill());
  }
  void end() {
    close(ends[1]);
    ends[1] = -1;
    ASSERT_TRUE(reader.fill());
  }
  std::vector<std::string> all() {
    std::vector<std::string> lines;
    while (const auto line = reader.next())
      lines.push_back(line->too_long ? "too long" : std::string(line->text));
    return lines;
  }
  int ends[2] = {-1, -1};
  LineReader reader{open_pipe(), 10};

 private:
  int open_pipe() {
    EXPECT_EQ(pipe(ends), 0);
    return ends[0];
  }
};

using Strings = std::vector<std::string>;

TEST_F(Lines, ComeWholeHoweverTheyWereCut) {
  give("a\nbc");
  EXPECT_EQ(all(), Strings{"a"});
  give("d\r\n\ne");
  EXPECT_EQ(all(), (Strings{"bcd", ""}));
  EXPECT_FALSE(reader.at_end());
  end();
  EXPECT_EQ(all(), Strings{"e"});  // the last needs no end
  EXPECT_TRUE(reader.at_end());
}

TEST_F(Lines, AtTheBoundComeAndBeyondItAreToldOnceAndLeftOut) {
  give("0123456789\n01234567890\nx\n");
  EXPECT_EQ(all(), (Strings{"0123456789", "too long", "x"}));
  give(std::string(20, 'y'));
  EXPECT_EQ(all(), Strings{"too long"});
  give(std::string(20, 'y'));
  give("y\nz\n");
  EXPECT_EQ(all(), Strings{"z"});
}

TEST_F(Lines, OfNothingAreNone) {
  end();
  EXPECT_EQ(all(), Strings{});
  EXPECT_TRUE(reader.at_end());
}

TEST_F(Lines, AreTheSameForEveryWayToCutThem) {
  Prng chance(3);
  for (int round = 0; round < 200; ++round) {
    Strings written;
    std::string text;
    for (int line = 0; line < 20; ++line) {
      const std::string one(chance.below(14), static_cast<char>('a' + line));
      written.push_back(one.size() > 10 ? "too long" : one);
      text += one + "\n";
    }
    Strings read;
    while (!text.empty()) {
      const std::size_t count = std::min<std::size_t>(text.size(), chance.between(1, 9));
      give(text.substr(0, count));
      text.erase(0, count);
      for (std::string& line : all()) read.push_back(std::move(line));
    }
    ASSERT_EQ(read, written);
  }
}

}  // namespace
}  // namespace cidbus
