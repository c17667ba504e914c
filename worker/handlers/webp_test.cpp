#include "worker/handlers/webp.h"

#include <gtest/gtest.h>

#include "worker/handlers/image_fixture.h"

namespace cidbus {
namespace {

TEST(WebpMetadata, IsDroppedAndTheImageStaysReadable) {
  for (const Bytes& image : {testing_images::make_quarters(40, 20, ".webp", 6),
                             testing_images::make_half_transparent(40, 20, ".webp[lossless]")}) {
    ASSERT_NE(as_text(image).find("EXIF"), std::string_view::npos)
        << "libvips writes none any more: drop webp.h";
    const Bytes stripped = without_webp_metadata(image);
    EXPECT_EQ(as_text(stripped).find("EXIF"), std::string_view::npos);
    EXPECT_EQ(testing_images::look_at(stripped).data, testing_images::look_at(image).data);
    EXPECT_EQ(without_webp_metadata(stripped), stripped);
  }
}

TEST(WebpMetadata, WhatIsNoWebpComesBackAsItWas) {
  const Bytes image = testing_images::make_quarters(40, 20, ".webp");
  for (std::size_t length = 0; length < image.size(); ++length) {
    const ByteView cut = ByteView(image).first(length);
    EXPECT_LE(without_webp_metadata(cut).size(), length);
  }
  EXPECT_TRUE(without_webp_metadata({}).empty());
  EXPECT_EQ(without_webp_metadata(as_bytes("RIFFxxxxWAVEdata")), to_bytes(as_bytes("RIFFxxxxWAVEdata")));
}

}  // namespace
}  // namespace cidbus
