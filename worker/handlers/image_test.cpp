// What each transform does to pixels, colours and metadata.

#include "worker/handlers/image.h"

#include <gmock/gmock.h>

#include "worker/handlers/image_fixture.h"

namespace cidbus {
namespace {

using namespace testing_images;
using ::testing::IsEmpty;

class ImageTest : public ::testing::Test {
 protected:
  Result<TransformedImage> run(ByteView input, const ImageRequest& request) {
    return images_.transform(input, request, cancelled_, progress_);
  }
  // The picture after the transform; an empty one, and a failure, when it did not work.
  Picture after(ByteView input, const ImageRequest& request) {
    const auto image = run(input, request);
    if (!image) {
      ADD_FAILURE() << image.error().message;
      return {};
    }
    Picture picture = look_at(image->bytes);
    EXPECT_EQ(picture.width, image->width);
    EXPECT_EQ(picture.height, image->height);
    EXPECT_EQ(picture.loader, std::string(to_text(image->format)) + "load_buffer");
    EXPECT_THAT(picture.metadata, IsEmpty());
    return picture;
  }
  static void expect_size(const Picture& picture, int width, int height) {
    EXPECT_EQ(picture.width, width);
    EXPECT_EQ(picture.height, height);
  }
  static void expect_quarters(const Picture& picture, const std::array<Pixel, 4>& wanted, int tolerance = 6) {
    const auto quarters = picture.quarters();
    for (std::size_t place = 0; place < 4; ++place) {
      EXPECT_TRUE(is_near(quarters[place], wanted[place], tolerance))
          << "quarter " << place << ": " << ::testing::PrintToString(quarters[place]) << " for "
          << ::testing::PrintToString(wanted[place]);
    }
  }

  ImageTransformer images_;
  CancelToken cancelled_;
  RunProgress progress_;
};

const std::array<Pixel, 4> upright{red, green, blue, white};

TEST_F(ImageTest, ResizeKeepsTheShapeWhenOneSideIsGiven) {
  const Bytes input = make_quarters(400, 200, ".png");
  const Picture by_width = after(input, {.width = 100});
  expect_size(by_width, 100, 50);
  expect_quarters(by_width, upright);
  expect_size(after(input, {.height = 100}), 200, 100);
}

TEST_F(ImageTest, ResizeFitsInsideCoversOrFillsABox) {
  const Bytes input = make_quarters(400, 200, ".png");
  expect_size(after(input, {.width = 100, .height = 100}), 100, 50);
  const Picture covered = after(input, {.width = 100, .height = 100, .fit = Fit::Cover});
  expect_size(covered, 100, 100);
  expect_quarters(covered, upright);
  const Picture filled = after(input, {.width = 100, .height = 100, .fit = Fit::Fill});
  expect_size(filled, 100, 100);
  expect_quarters(filled, upright);
}

TEST_F(ImageTest, ResizeEnlargesAndThumbnailDoesNot) {
  const Bytes input = make_quarters(40, 20, ".png");
  expect_size(after(input, {.width = 100}), 100, 50);
  const ImageRequest thumbnail{.transform = Transform::Thumbnail, .width = 100, .height = 100};
  expect_size(after(input, thumbnail), 40, 20);
  expect_size(after(make_quarters(400, 200, ".png"), thumbnail), 100, 50);
}

TEST_F(ImageTest, ThumbnailThatCoversIsASquareOfTheMiddle) {
  const Picture picture =
      after(make_quarters(400, 200, ".jpg[Q=95]"),
            {.transform = Transform::Thumbnail, .width = 64, .height = 64, .fit = Fit::Cover});
  expect_size(picture, 64, 64);
  expect_quarters(picture, upright);
}

TEST_F(ImageTest, ResizeOfALargeJpegShrinksItWhileDecodingAndKeepsThePicture) {
  const Picture picture = after(make_quarters(3000, 2000, ".jpg[Q=95]"), {.width = 320});
  expect_size(picture, 320, 213);
  expect_quarters(picture, upright);
}

TEST_F(ImageTest, ASideNeverBecomesZero) {
  expect_size(after(make_quarters(1000, 2, ".png"), {.width = 10}), 10, 1);
}

TEST_F(ImageTest, ExifOrientationIsAppliedByEveryTransform) {
  // Orientation 6: the file lies on its left side and is shown turned by 90 degrees clockwise.
  const Bytes lying = make_quarters(400, 200, ".jpg[Q=95]", 6);
  const std::array<Pixel, 4> turned{blue, red, white, green};
  for (const ImageRequest& request :
       {ImageRequest{.width = 100},
        ImageRequest{.transform = Transform::Thumbnail, .width = 200, .height = 200},
        ImageRequest{.transform = Transform::Convert, .format = ImageFormat::Png},
        ImageRequest{.transform = Transform::Crop, .width = 200, .height = 400},
        ImageRequest{.transform = Transform::Rotate, .angle = 0}}) {
    const Picture picture = after(lying, request);
    EXPECT_EQ(picture.height, 2 * picture.width);
    expect_quarters(picture, turned);
  }
  EXPECT_EQ(after(lying, {.width = 100}).width, 100) << "width is that of the upright image";
}

TEST_F(ImageTest, EveryExifOrientationEndsUpright) {
  const std::array<std::array<Pixel, 4>, 8> shown{{{red, green, blue, white},
                                                   {green, red, white, blue},
                                                   {white, blue, green, red},
                                                   {blue, white, red, green},
                                                   {red, blue, green, white},
                                                   {blue, red, white, green},
                                                   {white, green, blue, red},
                                                   {green, white, red, blue}}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    SCOPED_TRACE(orientation);
    const Bytes input = make_quarters(240, 160, ".jpg[Q=95]", orientation);
    const auto& wanted = shown[static_cast<std::size_t>(orientation - 1)];
    expect_quarters(after(input, {.transform = Transform::Convert, .format = ImageFormat::Png}), wanted);
    expect_quarters(after(input, {.width = 60}), wanted, 12);
  }
}

TEST_F(ImageTest, RotateTurnsClockwiseByRightAnglesWithoutLoss) {
  const Bytes input = make_quarters(40, 20, ".png");
  const auto turned = [&](double angle) {
    return after(input, {.transform = Transform::Rotate, .angle = angle});
  };
  for (const double angle : {90.0, -270.0}) {
    expect_size(turned(angle), 20, 40);
    expect_quarters(turned(angle), {blue, red, white, green}, 0);
  }
  expect_size(turned(180), 40, 20);
  expect_quarters(turned(180), {white, blue, green, red}, 0);
  expect_quarters(turned(270), {green, white, red, blue}, 0);
  for (const double angle : {0.0, 360.0, -360.0}) expect_quarters(turned(angle), upright, 0);
}

TEST_F(ImageTest, RotateByAnyAngleOpensCornersThatAreTransparentOrTheBackground) {
  const Bytes input = make_quarters(100, 100, ".png");
  const Picture clear = after(input, {.transform = Transform::Rotate, .angle = 45});
  EXPECT_NEAR(clear.width, 142, 1);
  ASSERT_EQ(clear.bands, 4);
  EXPECT_EQ(clear.at(0, 0)[3], 0);
  EXPECT_TRUE(is_near(clear.at(71, 30), {255, 0, 0, 255})) << "the upper left quarter is on top now";

  const Picture jpeg =
      after(input, {.transform = Transform::Rotate, .angle = 45, .format = ImageFormat::Jpeg});
  EXPECT_TRUE(is_near(jpeg.at(0, 0), white));
  const Picture green_behind =
      after(input, {.transform = Transform::Rotate, .angle = 45, .background = 0x00ff00});
  EXPECT_EQ(green_behind.at(0, 0), green);
}

TEST_F(ImageTest, CropKeepsExactlyThePartAskedFor) {
  const Bytes input = make_quarters(40, 20, ".png");
  const Picture corner =
      after(input, {.transform = Transform::Crop, .width = 10, .height = 5, .left = 30, .top = 15});
  expect_size(corner, 10, 5);
  expect_quarters(corner, {white, white, white, white}, 0);
  const Picture middle =
      after(input, {.transform = Transform::Crop, .width = 4, .height = 4, .left = 18, .top = 8});
  expect_quarters(middle, upright, 0);
}

TEST_F(ImageTest, CropOutsideTheImageSaysWhereItEnds) {
  const auto outside = run(make_quarters(40, 20, ".png"),
                           {.transform = Transform::Crop, .width = 10, .height = 10, .left = 31});
  ASSERT_FALSE(outside);
  EXPECT_EQ(outside.error().kind, FaultKind::BadUsage);
  EXPECT_EQ(outside.error().message, "the part to keep ends at 41 x 10 px, outside the image of 40 x 20 px");
}

TEST_F(ImageTest, GrayscaleIsOneChannelOfLightness) {
  const Picture grey = after(make_quarters(40, 40, ".png"), {.transform = Transform::Grayscale});
  EXPECT_EQ(grey.bands, 1);
  const auto quarters = grey.quarters();
  EXPECT_GT(quarters[1][0], quarters[0][0]) << "green is lighter than red";
  EXPECT_GT(quarters[0][0], quarters[2][0]) << "red is lighter than blue";
  EXPECT_EQ(quarters[3][0], 255);
  EXPECT_EQ(after(make_grey(8, 8, 77, ".png"), {.transform = Transform::Grayscale}).at(3, 3), Pixel{77});
}

TEST_F(ImageTest, ConvertGoesFromEachReadableFormatToEachWritableOne) {
  for (const char* from : {".jpg[Q=95]", ".png", ".webp[lossless]", ".gif", ".tif", ".avif[Q=90]"}) {
    const Bytes input = make_quarters(64, 48, from);
    for (const ImageFormat to : {ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Webp, ImageFormat::Gif}) {
      SCOPED_TRACE(std::string(from) + " to " + std::string(to_text(to)));
      const Picture picture = after(input, {.transform = Transform::Convert, .format = to});
      expect_size(picture, 64, 48);
      expect_quarters(picture, upright, 12);
    }
  }
}

TEST_F(ImageTest, TheInputsFormatIsKeptAndTiffBecomesPng) {
  EXPECT_EQ(after(make_quarters(64, 48, ".jpg"), {.width = 32}).loader, "jpegload_buffer");
  EXPECT_EQ(after(make_quarters(64, 48, ".webp"), {.width = 32}).loader, "webpload_buffer");
  EXPECT_EQ(after(make_quarters(64, 48, ".gif"), {.width = 32}).loader, "gifload_buffer");
  EXPECT_EQ(after(make_quarters(64, 48, ".tif"), {.width = 32}).loader, "pngload_buffer");
}

TEST_F(ImageTest, TransparencyIsKeptWhereTheFormatHasItAndWhiteInJpeg) {
  const Bytes input = make_half_transparent(80, 80, ".png");
  for (const ImageFormat format : {ImageFormat::Png, ImageFormat::Webp}) {
    const Picture small = after(input, {.width = 40, .format = format});
    ASSERT_EQ(small.bands, 4);
    EXPECT_EQ(small.at(5, 5)[3], 0);
    EXPECT_TRUE(is_near(small.at(35, 5), {0, 255, 0, 255}));
  }
  expect_quarters(after(input, {.width = 40, .format = ImageFormat::Jpeg}), {white, green, white, white}, 16);
  expect_quarters(after(input, {.width = 40, .background = 0xff0000}), {red, green, red, white});
  EXPECT_EQ(after(input, {.transform = Transform::Grayscale}).bands, 2);
}

TEST_F(ImageTest, AColouredBackgroundBehindAGreyImageIsColoured) {
  Bytes grey = make_half_transparent(80, 80, ".png");
  const auto faded = run(grey, {.transform = Transform::Grayscale});
  ASSERT_TRUE(faded);
  const Picture picture = after(
      faded->bytes, {.transform = Transform::Convert, .format = ImageFormat::Png, .background = 0xff0000});
  EXPECT_EQ(picture.at(5, 5), red);
}

TEST_F(ImageTest, ColoursOfAProfileAreKeptAlthoughTheProfileGoes) {
  const Pixel colour{200, 80, 40};
  for (const char* profile : {"p3", "cmyk"}) {
    SCOPED_TRACE(profile);
    const Bytes input = make_with_profile(colour, profile, ".jpg[Q=100]");
    for (const ImageRequest& request :
         {ImageRequest{.width = 32},
          ImageRequest{.transform = Transform::Convert, .format = ImageFormat::Png}}) {
      const Pixel seen = after(input, request).at(10, 10);
      EXPECT_TRUE(is_near(seen, colour, 8)) << ::testing::PrintToString(seen);
    }
  }
}

TEST_F(ImageTest, SixteenBitsAChannelBecomeEight) {
  const Bytes input = make_sixteen_bit(32, 32);
  EXPECT_EQ(after(input, {.width = 16}).at(3, 3), (Pixel{128, 128, 128}));
  EXPECT_EQ(after(input, {.transform = Transform::Convert, .format = ImageFormat::Png}).at(3, 3),
            (Pixel{128, 128, 128}));
}

TEST_F(ImageTest, OfAnAnimationTheFirstFrameIsTaken) {
  const Picture picture = after(make_animation(40, 30, 5), {.width = 20});
  expect_size(picture, 20, 15);
  EXPECT_TRUE(is_near(picture.at(5, 5), red));
}

TEST_F(ImageTest, MetadataIsGone) {
  const Bytes input = make_with_metadata(64, 48);
  ASSERT_THAT(look_at(input).metadata, ::testing::SizeIs(2)) << "the test's own input has exif and icc";
  for (const ImageFormat format :
       {ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Webp, ImageFormat::Gif}) {
    const auto image = run(input, {.width = 32, .format = format});
    ASSERT_TRUE(image);
    EXPECT_EQ(as_text(image->bytes).find("Camera works"), std::string_view::npos);
    EXPECT_THAT(look_at(image->bytes).metadata, IsEmpty());
  }
}

TEST_F(ImageTest, QualityMakesAJpegOrWebpSmallerAndIsIgnoredByPng) {
  const Bytes input = make_noise(200, 200, ".png");
  const auto size = [&](ImageFormat format, int quality) {
    return run(input, {.transform = Transform::Convert, .format = format, .quality = quality})->bytes.size();
  };
  EXPECT_LT(size(ImageFormat::Jpeg, 20), size(ImageFormat::Jpeg, 90));
  EXPECT_LT(size(ImageFormat::Webp, 20), size(ImageFormat::Webp, 90));
  EXPECT_EQ(size(ImageFormat::Png, 20), size(ImageFormat::Png, 90));
}

TEST_F(ImageTest, TheSameInputGivesTheSameBytes) {
  const Bytes input = make_noise(301, 203, ".jpg[Q=90]");
  for (const ImageFormat format :
       {ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Webp, ImageFormat::Gif}) {
    for (const ImageRequest& request :
         {ImageRequest{.width = 77, .format = format},
          ImageRequest{.transform = Transform::Thumbnail,
          .width = 50,
          .height = 50,
          .fit = Fit::Cover,
          .format = format},
          ImageRequest{.transform = Transform::Rotate, .angle = 33.5, .format = format},
          ImageRequest{.transform = Transform::Grayscale, .format = format}}) {
      const auto first = run(input, request);
      const auto second = ImageTransformer().transform(Bytes(input), request, cancelled_, progress_);
      ASSERT_TRUE(first && second);
      EXPECT_EQ(first->bytes, second->bytes) << to_text(format);
    }
  }
}

}  // namespace
}  // namespace cidbus
