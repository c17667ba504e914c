// What arrives is not always an image, not always whole, and not always meant well.

#include <gmock/gmock.h>

#include <thread>

#include "shared/base/prng.h"
#include "worker/handlers/image.h"
#include "worker/handlers/image_fixture.h"

namespace cidbus {
namespace {

using namespace testing_images;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class HostileImageTest : public ::testing::Test {
 protected:
  Result<TransformedImage> run(ByteView input, const ImageRequest& request = {.width = 32}) {
    return images_.transform(input, request, cancelled_, progress_);
  }
  // The one line that says what was wrong; the kind is checked here.
  std::string refusal(ByteView input, FaultKind kind = FaultKind::BadData,
                      const ImageRequest& request = {.width = 32}) {
    const auto image = run(input, request);
    if (image) return "it worked";
    EXPECT_EQ(image.error().kind, kind) << image.error().message;
    EXPECT_EQ(image.error().message.find('\n'), std::string::npos);
    EXPECT_LT(image.error().message.size(), 250u);
    return image.error().message;
  }

  ImageTransformer images_;
  CancelToken cancelled_;
  RunProgress progress_;
};

// A PNG's signature and IHDR, which claim a size, and nothing else.
Bytes png_that_claims(std::uint32_t width, std::uint32_t height) {
  Bytes png = make_quarters(8, 8, ".png");
  const auto put = [&png](std::size_t at, std::uint32_t number) {
    for (std::size_t byte = 0; byte < 4; ++byte)
      png[at + byte] = static_cast<std::uint8_t>(number >> (24 - 8 * byte));
  };
  put(16, width);
  put(20, height);
  std::uint32_t crc = ~0U;  // CRC-32 of IHDR and its 13 bytes
  for (std::size_t at = 12; at < 29; ++at) {
    crc ^= png[at];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xedb88320U : 0U);
  }
  put(29, ~crc);
  return png;
}

TEST_F(HostileImageTest, AnEmptyInputIsNamed) {
  EXPECT_EQ(refusal({}), "the input is empty; give an image file");
}

TEST_F(HostileImageTest, WhatIsNoImageIsToldByHowItBegins) {
  EXPECT_EQ(refusal(as_bytes("hello, world, this is text\n")),
            "the input is not an image this worker reads (it begins with 'hello, world, th'); "
            "give jpeg, png, webp, gif, tiff, heif or avif");
  EXPECT_THAT(refusal(Bytes(100, 0)), HasSubstr("not an image"));
  EXPECT_THAT(refusal(Bytes{0xff}), HasSubstr("not an image"));
}

TEST_F(HostileImageTest, FormatsWithoutAFuzzedDecoderAreNotOpened) {
  for (const char* text :
       {"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><rect width=\"9\" "
        "height=\"9\"/></svg>",
        "%PDF-1.4\n%%EOF\n", "P5 1 1 255\nx", "#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\n\1\1\1\1",
        "push graphic-context\n", "1 2 3\n4 5 6\n"}) {
    EXPECT_THAT(refusal(as_bytes(text)), StartsWith("the input is not an image this worker reads")) << text;
  }
}

TEST_F(HostileImageTest, AHugeClaimIsRefusedByItsHeader) {
  EXPECT_EQ(refusal(png_that_claims(100'000, 100'000)),
            "the image claims 100000 x 100000 px, more than the 400000000 pixels a worker opens");
  EXPECT_THAT(refusal(png_that_claims(0x7fffffff, 0x7fffffff)), Not(HasSubstr("worked")));
  EXPECT_THAT(refusal(png_that_claims(0, 10)), HasSubstr("damaged"));
}

TEST_F(HostileImageTest, AClaimWithinTheBoundWithoutItsPixelsIsDamaged) {
  EXPECT_EQ(refusal(png_that_claims(19'000, 19'000)),
            "the png image of 19000 x 19000 px is damaged or cut short; give the whole file");
}

TEST_F(HostileImageTest, TheBoundOnPixelsIsExact) {
  const ImageTransformer small(ImageLimits{.pixels = 64 * 48});
  EXPECT_TRUE(small.transform(make_quarters(64, 48, ".png"), {.width = 32}, cancelled_, progress_));
  const auto larger = small.transform(make_quarters(65, 48, ".png"), {.width = 32}, cancelled_, progress_);
  ASSERT_FALSE(larger);
  EXPECT_EQ(larger.error().message, "the image claims 65 x 48 px, more than the 3072 pixels a worker opens");
}

TEST_F(HostileImageTest, AResultThatWouldBeHugeIsRefused) {
  EXPECT_EQ(refusal(make_quarters(2, 2000, ".png"), FaultKind::BadUsage, {.width = 100}),
            "the result would have 100 x 100000 px; a png has at most 16383 a side and 400000000 in all");
  const ImageTransformer small(ImageLimits{.pixels = 10'000});
  const auto enlarged = small.transform(make_quarters(20, 20, ".png"), {.width = 101}, cancelled_, progress_);
  ASSERT_FALSE(enlarged);
  EXPECT_EQ(enlarged.error().kind, FaultKind::BadUsage);
  EXPECT_TRUE(small.transform(make_quarters(20, 20, ".png"), {.width = 100}, cancelled_, progress_));
  const ImageRequest to_webp{.transform = Transform::Convert, .format = ImageFormat::Webp};
  EXPECT_THAT(refusal(make_quarters(17'000, 2, ".png"), FaultKind::BadUsage, to_webp),
              HasSubstr("a webp has at most 16383 a side"));
}

TEST_F(HostileImageTest, ATruncatedImageIsNeverAnsweredWithAHalfPicture) {
  for (const char* format : {".jpg", ".jpg[interlace]", ".png", ".png[interlace]", ".gif", ".webp",
                             ".webp[lossless]", ".tif", ".avif"}) {
    SCOPED_TRACE(format);
    const Bytes whole = make_noise(300, 200, format);
    for (const std::size_t part : {1U, 10U, 50U, 90U}) {
      const ByteView cut = ByteView(whole).first(whole.size() * part / 100);
      for (const ImageRequest& request :
           {ImageRequest{.width = 32}, ImageRequest{.transform = Transform::Rotate, .angle = 90},
            ImageRequest{.transform = Transform::Grayscale}}) {
        refusal(cut, FaultKind::BadData, request);
        EXPECT_FALSE(run(cut, request)) << part << " %";
      }
    }
  }
}

TEST_F(HostileImageTest, FlippedBytesNeverCrashAndAlwaysEndInAnImageOrOneLine) {
  Prng prng(20261123);
  for (const char* format : {".jpg", ".png", ".webp", ".gif", ".tif", ".avif"}) {
    const Bytes whole = make_quarters(60, 40, format, 6);
    for (int round = 0; round < 150; ++round) {
      Bytes image = whole;
      for (std::uint64_t flips = prng.between(1, 8); flips > 0; --flips) {
        image[prng.below(image.size())] = static_cast<std::uint8_t>(prng.below(256));
      }
      const auto transform = static_cast<Transform>(prng.below(6));
      const auto result =
          run(image,
              {.transform = transform, .width = 16, .height = 16, .angle = 90, .format = ImageFormat::Png});
      if (!result) {
        EXPECT_TRUE(result.error().kind == FaultKind::BadData || result.error().kind == FaultKind::BadUsage)
            << result.error().message;
        EXPECT_EQ(result.error().message.find('\n'), std::string::npos);
      }
    }
  }
}

TEST_F(HostileImageTest, AWrongProfileIsIgnored) {
  Bytes image = make_with_profile({200, 80, 40}, "p3", ".jpg[Q=100]");
  const auto profile = as_text(image).find("acsp");
  ASSERT_NE(profile, std::string_view::npos);
  std::fill_n(image.begin() + static_cast<std::ptrdiff_t>(profile), 40, std::uint8_t{0xee});
  EXPECT_TRUE(run(image)) << run(image).error().message;
}

TEST_F(HostileImageTest, FaultsOfOneInputLeaveTheNextAloneAndHoldNoMemory) {
  const Bytes good = make_quarters(300, 200, ".jpg");
  const Bytes bad(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(good.size() / 2));
  const ImageRequest turn{.transform = Transform::Rotate, .angle = 30};
  const auto expected = run(good, turn);
  ASSERT_TRUE(expected);
  for (int round = 0; round < 20; ++round) {
    EXPECT_FALSE(run(bad, turn));
    EXPECT_FALSE(run(as_bytes("no image")));
    const auto again = run(good, turn);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->bytes, expected->bytes);
  }
  // libvips' own threads give their buffers back when they next wake: the clock only bounds a failure.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (vips_bytes_held() > 0 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  EXPECT_EQ(vips_bytes_held(), 0U);
}

TEST_F(HostileImageTest, SlotsWorkSideBySideAndEachGetsItsOwnAnswer) {
  const Bytes good = make_noise(200, 200, ".jpg");
  const Bytes bad(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(good.size() / 2));
  const Bytes expected = run(good)->bytes;
  const std::string line = refusal(bad);
  std::vector<std::thread> slots;
  std::atomic<int> wrong{0};
  for (int slot = 0; slot < 4; ++slot) {
    slots.emplace_back([&, slot] {
      const CancelToken never;
      RunProgress progress;
      for (int round = 0; round < 25; ++round) {
        const auto image = images_.transform(slot % 2 == 0 ? good : bad, {.width = 32}, never, progress);
        const bool right =
            slot % 2 == 0 ? image && image->bytes == expected : !image && image.error().message == line;
        if (!right) ++wrong;
      }
    });
  }
  for (auto& slot : slots) slot.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(HostileImageTest, ACancelledTokenStopsTheWorkBeforeAndInTheMidstOfIt) {
  const Bytes large = make_noise(5000, 4000, ".png[compression=1]");
  for (const ImageRequest& request :
       {ImageRequest{.transform = Transform::Rotate, .angle = 90},
        ImageRequest{.transform = Transform::Grayscale}, ImageRequest{.width = 4000}}) {
    CancelToken token;
    RunProgress progress;
    std::thread canceller([&] {
      while (progress.permille() == 0) std::this_thread::yield();
      token.cancel();
    });
    const auto stopped = images_.transform(large, request, token, progress);
    canceller.join();
    ASSERT_FALSE(stopped);
    EXPECT_EQ(stopped.error().kind, FaultKind::TryAgain);
    EXPECT_EQ(stopped.error().message, "stopped before it was done");
    EXPECT_LT(progress.permille(), 1000U);
    EXPECT_FALSE(images_.transform(large, request, token, progress));
  }
}

TEST_F(HostileImageTest, ProgressEndsAtAThousand) {
  ASSERT_TRUE(run(make_quarters(64, 48, ".png")));
  EXPECT_EQ(progress_.permille(), 1000U);
}

}  // namespace
}  // namespace cidbus
