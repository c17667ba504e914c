#include "worker/handlers/analyze.h"

#include <gtest/gtest.h>

#include "shared/base/limits/images.h"
#include "worker/handlers/image_fixture.h"
#include "worker/handlers/map_content.h"
#include "worker/handlers/text_statistics.h"

namespace cidbus {
namespace {

HandlerBench bench() { return {.handler = make_analyze()}; }

NamedTexts analyze(ByteView bytes) {
  HandlerBench analyzing = bench();
  const auto output = analyzing.run({analyzing.content.add(bytes)}, {});
  EXPECT_TRUE(output) << output.error().message;
  return output ? output->values : NamedTexts{};
}

TextStatistics count(std::string_view text) {
  TextStatistics statistics;
  for (const char letter : text) statistics.add(as_bytes({&letter, 1}));  // every cut there can be
  return statistics;
}

TEST(Analyze, CountsAText) {
  EXPECT_EQ(analyze(as_bytes("two words\nand a lin\xc3\xa9\n")), (NamedTexts{{"type", "text/plain"},
                                                                             {"size", "22"},
                                                                             {"encoding", "utf-8"},
                                                                             {"lines", "2"},
                                                                             {"words", "5"},
                                                                             {"characters", "21"}}));
}

TEST(Analyze, TellsTheSizeOfAnImageUpright) {
  const NamedTexts values = analyze(testing_images::make_quarters(60, 40, ".jpg", 6));
  ASSERT_GE(values.size(), 4U);
  EXPECT_EQ(values[0].second, "image/jpeg");
  EXPECT_EQ(values[2], (std::pair<std::string, std::string>{"width", "40"}));
  EXPECT_EQ(values[3], (std::pair<std::string, std::string>{"height", "60"}));
  EXPECT_EQ(values.back(), (std::pair<std::string, std::string>{"encoding", "binary"}));
}

TEST(Analyze, NeedsNoMoreOfAnImageThanItsBeginning) {
  Bytes image = testing_images::make_noise(2000, 1500, ".png");
  ASSERT_GT(image.size(), limits::analyzed_head);
  const NamedTexts values = analyze(image);
  EXPECT_EQ(values[1].second, std::to_string(image.size()));
  EXPECT_EQ(values[2].second, "2000");
}

TEST(Analyze, TakesAnythingAndNothing) {
  EXPECT_EQ(analyze({})[0].second, "application/x-empty");
  const NamedTexts broken = analyze(as_bytes("\xff\xd8\xff\xe0 no jpeg"));
  EXPECT_EQ(broken[2].first, "encoding") << "a damaged image has no dimensions";
  const Bytes zeros(5000, 0);
  EXPECT_EQ(analyze(zeros)[0].second, "application/octet-stream");
}

TEST(Analyze, RefusesParametersAndWrongInputs) {
  HandlerBench analyzing = bench();
  const Cid file = analyzing.content.add("x");
  EXPECT_NE(analyzing.refusal({file}, {{"deep", "yes"}}).find("unknown parameter 'deep'"), std::string::npos);
  EXPECT_NE(analyzing.refusal({}, {}).find("exactly one input"), std::string::npos);
}

TEST(Analyze, StopsWhenItIsCancelled) {
  HandlerBench analyzing = bench();
  const Cid file = analyzing.content.add(std::string(10'000, 'x'));
  analyzing.content.on_read = [&] { analyzing.cancelled.cancel(); };
  EXPECT_NE(analyzing.refusal({file}, {}, FaultKind::TryAgain).find("stopped"), std::string::npos);
}

TEST(TextStatistics, CountsAsWcDoes) {
  const TextStatistics text = count("  a b\tc\r\nd  \n\ne");
  EXPECT_EQ(text.lines(), 3U);
  EXPECT_EQ(text.words(), 5U);
  EXPECT_EQ(text.characters(), 15U);
  EXPECT_EQ(text.encoding(), "ascii");
  EXPECT_EQ(count("").encoding(), "ascii");
}

TEST(TextStatistics, KnowsUtf8FromWhatIsNone) {
  for (const char* good : {"\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                           "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_EQ(count(good).encoding(), "utf-8") << good;
    EXPECT_EQ(count(good).characters(), 1U);
  }
  for (const char* bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                          "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xc2", "\xe2\x82", "\xc2z"}) {
    EXPECT_EQ(count(bad).encoding(), "binary") << bad;
  }
  EXPECT_EQ(count(std::string_view("a\0b", 3)).encoding(), "binary");
}

}  // namespace
}  // namespace cidbus
