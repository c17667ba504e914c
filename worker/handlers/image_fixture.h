// Images for tests, made and read back with libvips behind plain values.
//
// The picture is four quarters: red and green above, blue and white below. Every turn, cut or flip of it can
// be told by its corners.
//
// Thread rule: one thread. Limits: none.
#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "worker/handlers/handler.h"

namespace cidbus::testing_images {

using Pixel = std::vector<int>;  // a value a band
inline const Pixel red{255, 0, 0};
inline const Pixel green{0, 255, 0};
inline const Pixel blue{0, 0, 255};
inline const Pixel white{255, 255, 255};

struct Picture {
  int width = 0;
  int height = 0;
  int bands = 0;
  std::string loader;                 // "jpegload_buffer", ...
  std::vector<std::string> metadata;  // names of exif, icc, xmp and iptc fields
  Bytes data;

  [[nodiscard]] Pixel at(int x, int y) const;
  // Upper left, upper right, lower left, lower right: the middles of the quarters.
  [[nodiscard]] std::array<Pixel, 4> quarters() const;
};

// `suffix` as libvips takes it: ".png", ".jpg[Q=95]", ".webp[lossless]".
Bytes make_quarters(int width, int height, const std::string& suffix, int orientation = 1);
// The same, the left half transparent.
Bytes make_half_transparent(int width, int height, const std::string& suffix);
Bytes make_grey(int width, int height, int value, const std::string& suffix);
// 16 bits a channel, every channel at half.
Bytes make_sixteen_bit(int width, int height);
// One colour of sRGB, stored as numbers of another built-in profile ("p3" or "cmyk") that is embedded.
Bytes make_with_profile(const Pixel& colour, const std::string& profile, const std::string& suffix);
// Noise, which compresses badly and so takes its time.
Bytes make_noise(int width, int height, const std::string& suffix);
// Several frames of a size, the first red, the others blue.
Bytes make_animation(int width, int height, int frames);
// EXIF with a camera's name, and a comment.
Bytes make_with_metadata(int width, int height);

Picture look_at(ByteView image);
// Every channel within `tolerance`; an alpha of 255 may be left out.
bool is_near(const Pixel& one, const Pixel& other, int tolerance = 6);

// Memory that libvips holds now.
std::size_t vips_bytes_held();

}  // namespace cidbus::testing_images
