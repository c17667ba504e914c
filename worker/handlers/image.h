// One image transformed: bytes in, bytes out. The only room that sees libvips, and only in image.cpp.
//
// What comes in is hostile until proved otherwise: only formats with fuzzed decoders are opened, the size is
// read from the header and bounded before a pixel is decoded, and an image that ends early or has a serious
// error is refused, never answered with a grey rest. What goes out is the same bytes for the same input: 8
// bits a channel, sRGB or grey, upright (EXIF orientation is applied), without any metadata.
//
// libvips keeps process-wide settings. The constructor makes them: one thread an operation (slots are the
// parallelism), no operation cache (no two tasks share work), all loaders blocked but those of
// readable_formats, its warnings silenced (they go to stderr; faults say what matters).
//
// Invariants: 1. no exception leaves. 2. a fault of the request is BadUsage, of the image BadData, of the
// machine's room TryAgain. 3. of an animation or a document the first picture is taken.
// Thread rule: made before other threads use libvips; then transform() on any thread, on many at once.
// Limits: ImageLimits. A cancelled token ends it at the next strip of pixels; what libvips decodes whole
// first (turns, interlaced files) is decoded to its end, a few seconds for the largest.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "shared/base/bytes.h"
#include "shared/base/limits/images.h"
#include "shared/base/result.h"
#include "worker/handlers/run_control.h"

namespace cidbus {

inline constexpr std::string_view readable_formats = "jpeg, png, webp, gif, tiff, heif or avif";

enum class ImageFormat : std::uint8_t { Jpeg, Png, Webp, Gif };
std::string_view to_text(ImageFormat format);

enum class Transform : std::uint8_t { Resize, Thumbnail, Convert, Grayscale, Rotate, Crop };

// How an image meets a box of another shape.
enum class Fit : std::uint8_t {
  Inside,  // as large as fits, shape kept
  Cover,   // fills the box, shape kept, what hangs over is cut off evenly
  Fill,    // stretched to the box
};

struct ImageRequest {
  Transform transform = Transform::Resize;
  std::optional<std::uint32_t> width = std::nullopt;   // Resize: one of both at least; Thumbnail, Crop: both
  std::optional<std::uint32_t> height = std::nullopt;  // in pixels of the upright image
  Fit fit = Fit::Inside;                               // counts when both are given; Thumbnail: not Fill
  std::uint32_t left = 0;                              // Crop
  std::uint32_t top = 0;
  double angle = 0;                                  // Rotate: degrees clockwise
  std::optional<ImageFormat> format = std::nullopt;  // none: the input's, or png when it cannot be written
  int quality = 80;                                  // jpeg and webp, 1 to 100; the others lose nothing
  std::optional<std::uint32_t> background =
      std::nullopt;  // 0xrrggbb behind what is transparent; none: it stays so, or white
};

struct TransformedImage {
  Bytes bytes;
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  ImageFormat format = ImageFormat::Png;
};

struct ImageLimits {
  std::uint64_t pixels = limits::image_pixels;  // of the image that comes in, and of the one that goes out
};

struct ImageSize {
  std::uint64_t width = 0;
  std::uint64_t height = 0;
};

class ImageTransformer {
 public:
  explicit ImageTransformer(ImageLimits limits = {});

  // REQUIRES: the fields of the request that its transform needs, within limits::image_side
  Result<TransformedImage> transform(ByteView input, const ImageRequest& request,
                                     const CancelToken& cancelled, RunProgress& progress) const;

  // Of the upright image, by the header in the beginning of its file; no pixel is decoded. Nothing when it is
  // none of readable_formats, or damaged.
  [[nodiscard]] std::optional<ImageSize> measure(ByteView head) const;

 private:
  ImageLimits limits_;
};

}  // namespace cidbus
