#include "worker/handlers/image_fixture.h"

#include <cstdlib>
#include <vips/vips8>

// Asked by LeakSanitizer: libdav1d keeps 40 bytes of some AVIF files that are damaged on purpose.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libdav1d"; }

// Asked by ThreadSanitizer: GLib's locks are futexes of its own, which it cannot see, so libvips and what
// works below it look like races. Only what these libraries do themselves is let pass; our code is still
// watched.
// The longer history is needed to see that it was they.
extern "C" const char* __tsan_default_options();
extern "C" const char* __tsan_default_options() { return "history_size=7"; }
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "called_from_lib:libvips.so\n"
         "called_from_lib:libvips-cpp.so\n"
         "called_from_lib:libglib-2.0.so\n"
         "called_from_lib:libgobject-2.0.so\n"
         "called_from_lib:libpng16.so\n"
         "called_from_lib:libz.so\n"
         "called_from_lib:libjpeg.so\n"
         "called_from_lib:libtiff.so\n"
         "called_from_lib:libwebp.so\n"
         "called_from_lib:libwebpmux.so\n"
         "called_from_lib:libwebpdemux.so\n"
         "called_from_lib:libcgif.so\n"
         "called_from_lib:libimagequant.so\n"
         "called_from_lib:libexif.so\n"
         "called_from_lib:liblcms2.so\n"
         "called_from_lib:liborc-0.4.so\n"
         "called_from_lib:libheif.so\n"
         "called_from_lib:libgio-2.0.so\n"
         "race:libvips\n"
         "race:libheif\n"
         "race:libglib-2.0\n"
         "race:libgobject-2.0\n";
}

namespace cidbus::testing_images {
namespace {

using vips::VImage;

VImage area(int width, int height, const Pixel& colour) {
  std::vector<double> values(colour.begin(), colour.end());
  return VImage::black(width, height)
      .linear(std::vector<double>(values.size(), 1.0), values)
      .cast(VIPS_FORMAT_UCHAR)
      .copy(VImage::option()->set("interpretation",
                                  colour.size() < 3 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB));
}

Bytes save(const VImage& image, const std::string& suffix) {
  void* data = nullptr;
  std::size_t size = 0;
  image.write_to_buffer(suffix.c_str(), &data, &size);
  const auto* const bytes = static_cast<const std::uint8_t*>(data);
  Bytes saved(bytes, bytes + size);
  g_free(data);
  return saved;
}

VImage quarters(int width, int height) {
  const int left = width / 2;
  const int top = height / 2;
  const VImage above = area(left, top, red).join(area(width - left, top, green), VIPS_DIRECTION_HORIZONTAL);
  const VImage below =
      area(left, height - top, blue).join(area(width - left, height - top, white), VIPS_DIRECTION_HORIZONTAL);
  return above.join(below, VIPS_DIRECTION_VERTICAL);
}

}  // namespace

Pixel Picture::at(int x, int y) const {
  const auto first = static_cast<std::size_t>((y * width + x) * bands);
  Pixel pixel;
  for (std::size_t band = 0; band < static_cast<std::size_t>(bands); ++band)
    pixel.push_back(data.at(first + band));
  return pixel;
}

std::array<Pixel, 4> Picture::quarters() const {
  const int left = width / 4;
  const int right = width - 1 - left;
  const int top = height / 4;
  const int bottom = height - 1 - top;
  return {at(left, top), at(right, top), at(left, bottom), at(right, bottom)};
}

Bytes make_quarters(int width, int height, const std::string& suffix, int orientation) {
  VImage image = quarters(width, height).copy();
  if (orientation != 1) image.set(VIPS_META_ORIENTATION, orientation);
  return save(image, suffix);
}

Bytes make_half_transparent(int width, int height, const std::string& suffix) {
  const VImage alpha =
      area(width / 2, height, {0}).join(area(width - width / 2, height, {255}), VIPS_DIRECTION_HORIZONTAL);
  return save(quarters(width, height).bandjoin(alpha), suffix);
}

Bytes make_grey(int width, int height, int value, const std::string& suffix) {
  return save(area(width, height, {value}), suffix);
}

Bytes make_sixteen_bit(int width, int height) {
  return save(VImage::black(width, height)
                  .linear(std::vector<double>(3, 1.0), std::vector<double>(3, 32896.0))
                  .cast(VIPS_FORMAT_USHORT)
                  .copy(VImage::option()->set("interpretation", VIPS_INTERPRETATION_RGB16)),
              ".png");
}

Bytes make_with_profile(const Pixel& colour, const std::string& profile, const std::string& suffix) {
  return save(
      area(64, 64, colour).icc_transform(profile.c_str(), VImage::option()->set("input_profile", "srgb")),
      suffix);
}

Bytes make_noise(int width, int height, const std::string& suffix) {
  return save(
      VImage::gaussnoise(width, height, VImage::option()->set("mean", 128)->set("sigma", 60)->set("seed", 7))
          .cast(VIPS_FORMAT_UCHAR)
          .copy(VImage::option()->set("interpretation", VIPS_INTERPRETATION_B_W)),
      suffix);
}

Bytes make_animation(int width, int height, int frames) {
  VImage strip = area(width, height, red);
  for (int frame = 1; frame < frames; ++frame) {
    strip = strip.join(area(width, height, blue), VIPS_DIRECTION_VERTICAL);
  }
  return save(strip, ".gif[page_height=" + std::to_string(height) + "]");
}

Bytes make_with_metadata(int width, int height) {
  VImage image = quarters(width, height).copy();
  image.set("exif-ifd0-Make", "Camera works (Camera works, ASCII, 13 components, 13 bytes)");
  image.set("exif-ifd2-UserComment", "a comment (a comment, ASCII, 10 components, 10 bytes)");
  return save(image, ".jpg[Q=95,profile=srgb]");
}

Picture look_at(ByteView image) {
  VImage decoded = VImage::new_from_buffer(image.data(), image.size(), "",
                                           VImage::option()->set("fail_on", VIPS_FAIL_ON_WARNING));
  Picture picture{.width = decoded.width(),
                  .height = decoded.height(),
                  .bands = decoded.bands(),
                  .loader = decoded.get_string("vips-loader"),
                  .metadata = {},
                  .data = {}};
  for (const char* field :
       {VIPS_META_EXIF_NAME, VIPS_META_XMP_NAME, VIPS_META_IPTC_NAME, VIPS_META_ICC_NAME}) {
    if (decoded.get_typeof(field) != 0) picture.metadata.emplace_back(field);
  }
  std::size_t size = 0;
  void* const data = decoded.write_to_memory(&size);
  const auto* const bytes = static_cast<const std::uint8_t*>(data);
  picture.data.assign(bytes, bytes + size);
  g_free(data);
  return picture;
}

bool is_near(const Pixel& one, const Pixel& other, int tolerance) {
  if (one.size() > other.size())
    return one.back() == 255 && is_near({one.begin(), one.end() - 1}, other, tolerance);
  if (one.size() != other.size()) return false;
  for (std::size_t band = 0; band < one.size(); ++band) {
    if (std::abs(one[band] - other[band]) > tolerance) return false;
  }
  return true;
}

std::size_t vips_bytes_held() { return vips_tracked_get_mem(); }

}  // namespace cidbus::testing_images
