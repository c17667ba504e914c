#include "client/command/values.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "shared/base/limits/words.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;

TEST(Durations, AreAWholeNumberAndAUnit) {
  const std::vector<std::pair<const char*, std::chrono::milliseconds>> good{
      {"1ms", 1ms}, {"500ms", 500ms}, {"30s", 30s},     {"5m", 5min},
      {"2h", 2h},   {"7d", 168h},     {"1000d", 24000h}};
  for (const auto& [text, duration] : good) EXPECT_EQ(parse_duration(text), duration) << text;
}

TEST(Durations, ThatAreNoneAreRefusedWithWhatOneLooksLike) {
  for (const char* text : {"", "5", "s", "-5s", "+5s", "1.5s", "5 s", "5S", "5sec", "0s", "0ms", "1001d",
                           "99999999999999999999s", "18446744073709551615h", "5s ", "1h30m", "\xff", "５s"}) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().kind, FaultKind::BadUsage);
    EXPECT_NE(parsed.error().message.find("500ms, 30s, 5m, 2h"), std::string::npos) << parsed.error().message;
  }
}

TEST(Parameters, AreSplitAtTheFirstEqualsSign) {
  EXPECT_EQ(*parse_parameter("width=320"), (std::pair<std::string, std::string>("width", "320")));
  EXPECT_EQ(parse_parameter("a=b=c")->second, "b=c");
  EXPECT_EQ(parse_parameter("empty=")->second, "");
  EXPECT_EQ(parse_parameter("text=grüße\n")->second, "grüße\n");
  for (const char* text : {"", "width", "=320", "a b=1", "ü=1"})
    EXPECT_EQ(parse_parameter(text).error().kind, FaultKind::BadUsage) << text;
  EXPECT_FALSE(parse_parameter(std::string(limits::name_length + 1, 'a') + "=1"));
}

TEST(TaskWords, AreTaskIds) {
  EXPECT_EQ(parse_task("t1a")->value, 42u);
  EXPECT_EQ(parse_task("42").error().kind, FaultKind::BadUsage);
}

class Inputs : public ::testing::Test {
 protected:
  Inputs() {
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "picture.jpg") << "x";
  }
  ~Inputs() override { std::filesystem::remove_all(folder); }
  const std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) / ("cidbus-inputs-" + std::to_string(getpid()));
};

TEST_F(Inputs, AreCidsOrPathsThatAreThere) {
  const std::string cid = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy";
  EXPECT_EQ(to_text(std::get<Cid>(*parse_input(cid))), cid);
  const std::string path = folder / "picture.jpg";
  EXPECT_EQ(std::get<std::string>(*parse_input(path)), path);
  EXPECT_EQ(std::get<std::string>(*parse_input(folder.native())), folder.native());
}

TEST_F(Inputs, ThatAreNeitherAreBadDataInOneLine) {
  const std::vector<std::string> texts{
      "bafynotacid", "missing.jpg", "", folder / "missing.jpg", "./missing", "a\nb", std::string(300, 'b')};
  for (const std::string& text : texts) {
    const auto input = parse_input(text);
    ASSERT_FALSE(input) << text;
    EXPECT_EQ(input.error().kind, FaultKind::BadData) << text;
    EXPECT_EQ(input.error().message.find('\n'), std::string::npos);
  }
}

TEST(Printable, LetsNothingMoveTheCursor) {
  EXPECT_EQ(printable("a\x1b[31mb\r\n\x7f"), "a\\x1b[31mb\\x0d\\x0a\\x7f");
  EXPECT_EQ(printable("grüße"), "grüße");
  EXPECT_EQ(printable("\xff"), "\xef\xbf\xbd");
  EXPECT_EQ(printable("a\u009b2Jb"), "a\\xc2\\x9b2Jb") << "C1: a terminal's other escape";
  EXPECT_EQ(printable("gpj.\u202eexe"), "gpj.\\xe2\\x80\\xaeexe") << "turns the direction of writing";
}

TEST(ReadableBytes, HaveAUnitAndOneDecimal) {
  EXPECT_EQ(readable_bytes(0), "0 B");
  EXPECT_EQ(readable_bytes(1023), "1023 B");
  EXPECT_EQ(readable_bytes(1536), "1.5 KiB");
  EXPECT_EQ(readable_bytes(10ULL << 30), "10.0 GiB");
  EXPECT_EQ(readable_bytes(~0ULL), "16384.0 PiB");
}

}  // namespace
}  // namespace cidbus
