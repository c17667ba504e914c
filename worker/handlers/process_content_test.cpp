// The words of a task on their way to a transform, and what comes back. Pixels are image_test.cpp's.

#include "worker/handlers/process_content.h"

#include <gmock/gmock.h>

#include "worker/handlers/image_fixture.h"
#include "worker/handlers/map_content.h"

namespace cidbus {
namespace {

using namespace testing_images;
using ::testing::HasSubstr;

class ProcessContentTest : public ::testing::Test {
 protected:
  NamedTexts values(const NamedTexts& parameters) {
    const auto output = bench_.run({picture_}, parameters);
    if (!output) return {{"fault", output.error().message}};
    EXPECT_EQ(output->cids.size(), 1U);
    result_ = look_at(bench_.content.at(output->cids.front()));
    EXPECT_EQ(output->values[3].second, std::to_string(bench_.content.at(output->cids.front()).size()));
    return {output->values.begin(), output->values.begin() + 3};
  }
  std::string refusal(const NamedTexts& parameters) { return bench_.refusal({picture_}, parameters); }

  HandlerBench bench_{make_process_content()};
  const Cid picture_ = bench_.content.add(make_quarters(400, 200, ".jpg[Q=95]"));
  Picture result_;
};

NamedTexts told(const char* width, const char* height, const char* format) {
  return {{"width", width}, {"height", height}, {"format", format}};
}

TEST_F(ProcessContentTest, ResizeAnswersTheImageAndItsSize) {
  EXPECT_EQ(values({{"transform", "resize"}, {"width", "320"}}), told("320", "160", "jpeg"));
  EXPECT_EQ(values({{"transform", "resize"}}), told("320", "160", "jpeg")) << "to the usual width";
  EXPECT_EQ(values({{"transform", "resize"}, {"height", "50"}, {"format", "webp"}}),
            told("100", "50", "webp"));
  EXPECT_EQ(values({{"transform", "resize"}, {"width", "64"}, {"height", "64"}, {"fit", "cover"}}),
            told("64", "64", "jpeg"));
  EXPECT_EQ(values({{"transform", "resize"}, {"width", "64"}, {"height", "64"}, {"fit", "fill"}}),
            told("64", "64", "jpeg"));
}

TEST_F(ProcessContentTest, EveryOtherTransformTakesItsParameters) {
  EXPECT_EQ(values({{"transform", "thumbnail"}}), told("256", "128", "jpeg"));
  EXPECT_EQ(values({{"transform", "thumbnail"}, {"size", "64"}, {"fit", "cover"}}), told("64", "64", "jpeg"));
  EXPECT_EQ(values({{"transform", "convert"}, {"format", "png"}}), told("400", "200", "png"));
  EXPECT_EQ(values({{"transform", "convert"}, {"format", "jpg"}, {"quality", "50"}}),
            told("400", "200", "jpeg"));
  EXPECT_EQ(values({{"transform", "grayscale"}, {"format", "gif"}}), told("400", "200", "gif"));
  EXPECT_EQ(values({{"transform", "rotate"}, {"angle", "-90"}}), told("200", "400", "jpeg"));
  EXPECT_EQ(values({{"transform", "crop"}, {"left", "300"}, {"width", "100"}, {"height", "50"}}),
            told("100", "50", "jpeg"));
  EXPECT_TRUE(is_near(result_.at(50, 25), green));
}

TEST_F(ProcessContentTest, BackgroundIsAColour) {
  const NamedTexts turned{
      {"transform", "rotate"}, {"angle", "45.5"}, {"format", "png"}, {"background", "#0000fF"}};
  ASSERT_EQ(values(turned)[2].second, "png");
  EXPECT_EQ(result_.at(0, 0), blue);
}

TEST_F(ProcessContentTest, TheSameTaskGivesTheSameCid) {
  const NamedTexts parameters{{"transform", "resize"}, {"width", "111"}, {"format", "webp"}};
  const auto first = bench_.run({picture_}, parameters);
  HandlerBench another{make_process_content()};
  const auto second = another.run({another.content.add(bench_.content.at(picture_))}, parameters);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->cids, second->cids);
  EXPECT_EQ(first->values, second->values);
}

TEST_F(ProcessContentTest, AWrongTransformNamesTheRightOnes) {
  EXPECT_EQ(refusal({}),
            "process_content: give transform: resize, thumbnail, convert, grayscale, rotate or crop");
  EXPECT_EQ(
      refusal({{"transform", "explode"}}),
      "process_content: transform cannot be 'explode'; give one of resize, thumbnail, convert, grayscale, "
      "rotate, crop");
  EXPECT_EQ(refusal({{"transform", "resize"}, {"transform", "crop"}}),
            "process_content: parameter transform is given twice; give it once");
}

TEST_F(ProcessContentTest, AParameterOfAnotherTransformNamesThoseOfThisOne) {
  EXPECT_EQ(
      refusal({{"transform", "resize"}, {"width", "10"}, {"angle", "90"}}),
      "process_content resize: unknown parameter 'angle'; it takes transform, width, height, fit, format, "
      "quality, background");
  EXPECT_EQ(refusal({{"transform", "grayscale"}, {"\xe5\xb9\x85\n", "10"}}),
            "process_content grayscale: unknown parameter '\xe5\xb9\x85\\x0a'; it takes transform, format, "
            "quality, "
            "background");
}

TEST_F(ProcessContentTest, AMissingParameterIsAskedFor) {
  EXPECT_EQ(refusal({{"transform", "convert"}}),
            "process_content convert: give format: jpeg, png, webp or gif");
  EXPECT_EQ(refusal({{"transform", "rotate"}}), "process_content rotate: give angle, in degrees clockwise");
  EXPECT_EQ(refusal({{"transform", "crop"}, {"width", "10"}}),
            "process_content crop: give width and height of the part to keep, in pixels");
}

TEST_F(ProcessContentTest, AValueOutOfRangeNamesTheRange) {
  for (const char* width : {"0", "-1", "16384", "1e3", "12.5", "", "0x10", "\xef\xbc\x91\xef\xbc\x90",
                            "320px", "99999999999999999999999"}) {
    EXPECT_THAT(refusal({{"transform", "resize"}, {"width", width}}),
                HasSubstr("; give a whole number from 1 to 16383"));
  }
  EXPECT_EQ(refusal({{"transform", "convert"}, {"format", "bmp"}}),
            "process_content convert: format cannot be 'bmp'; give one of jpeg, png, webp, gif, jpg");
  for (const char* angle : {"361", "nan", "inf", "1e2", "ninety", ""}) {
    EXPECT_THAT(refusal({{"transform", "rotate"}, {"angle", angle}}),
                HasSubstr("; give a number from -360 to 360"));
  }
  for (const char* quality : {"0", "101", "high"}) {
    EXPECT_THAT(refusal({{"transform", "grayscale"}, {"quality", quality}}),
                HasSubstr("; give a whole number from 1 to 100"));
  }
  for (const char* colour : {"red", "fff", "#12345g", "1234567", "-12345", ""}) {
    EXPECT_THAT(refusal({{"transform", "grayscale"}, {"background", colour}}),
                HasSubstr("; give a colour as six hexadecimal digits, rrggbb"));
  }
  EXPECT_THAT(refusal({{"transform", "thumbnail"}, {"fit", "fill"}}),
              HasSubstr("; give one of inside, cover"));
  EXPECT_THAT(refusal({{"transform", "crop"}, {"width", "1"}, {"height", "1"}, {"left", "-1"}}),
              HasSubstr("left cannot be '-1'"));
}

TEST_F(ProcessContentTest, AMistakeInAParameterReadsNothing) {
  bench_.content.on_read = [] { ADD_FAILURE() << "content was read"; };
  refusal({{"transform", "resize"}, {"widht", "10"}});
  EXPECT_EQ(bench_.refusal({}, {{"transform", "grayscale"}}),
            "process_content takes exactly one input, not 0; submit one task a file");
}

TEST_F(ProcessContentTest, WhatIsNoImageIsSaidInOneLine) {
  EXPECT_EQ(bench_.refusal({bench_.content.add("Dear reader,\n")}, {{"transform", "grayscale"}},
                           FaultKind::BadData),
            "process_content: the input is not an image this worker reads (it begins with 'Dear "
            "reader,\\x0a'); give "
            "jpeg, png, webp, gif, tiff, heif or avif");
  EXPECT_EQ(bench_.refusal({bench_.content.add("")}, {{"transform", "grayscale"}}, FaultKind::BadData),
            "process_content: the input is empty; give an image file");
}

TEST_F(ProcessContentTest, FaultsOfTheNodePassThroughAsTheyAre) {
  EXPECT_THAT(bench_.refusal({Cid::v1(Codec::Raw, sha2_256(as_bytes("gone")))}, {{"transform", "grayscale"}},
                             FaultKind::NotFound),
              HasSubstr("nobody holds"));
  bench_.content.write_fault = Fault{FaultKind::TryAgain, "the disk is full"};
  EXPECT_EQ(bench_.refusal({picture_}, {{"transform", "grayscale"}}, FaultKind::TryAgain),
            "the disk is full");
}

TEST_F(ProcessContentTest, ATokenCancelledWhileReadingStopsItAndWritesNothing) {
  bench_.content.on_read = [this] { bench_.cancelled.cancel(); };
  const std::size_t files = bench_.content.size();
  EXPECT_EQ(bench_.refusal({picture_}, {{"transform", "grayscale"}}, FaultKind::TryAgain),
            "process_content: stopped before it was done");
  EXPECT_EQ(bench_.content.size(), files);
}

}  // namespace
}  // namespace cidbus
