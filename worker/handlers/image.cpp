#include "worker/handlers/image.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vips/vips8>

#include "shared/base/ensure.h"
#include "shared/content/quote.h"
#include "worker/handlers/webp.h"

namespace cidbus {
namespace {

using vips::VError;
using vips::VImage;

struct Loader {
  const char* vips_class;   // what libvips calls the reader of a buffer
  const char* vips_family;  // its readers of files, buffers and streams
  std::string_view name;
  std::optional<ImageFormat> writes;
};
constexpr std::array<Loader, 6> loaders{{
    {"VipsForeignLoadJpegBuffer", "VipsForeignLoadJpeg", "jpeg", ImageFormat::Jpeg},
    {"VipsForeignLoadPngBuffer", "VipsForeignLoadPng", "png", ImageFormat::Png},
    {"VipsForeignLoadWebpBuffer", "VipsForeignLoadWebp", "webp", ImageFormat::Webp},
    {"VipsForeignLoadNsgifBuffer", "VipsForeignLoadNsgif", "gif", ImageFormat::Gif},
    {"VipsForeignLoadTiffBuffer", "VipsForeignLoadTiff", "tiff", std::nullopt},
    {"VipsForeignLoadHeifBuffer", "VipsForeignLoadHeif", "heif", std::nullopt},
}};

// libvips keeps buffers for each thread that used it; a slot's thread is not one that it started.
struct ThreadCleanup {
  ThreadCleanup() = default;
  ThreadCleanup(const ThreadCleanup&) = delete;
  ThreadCleanup& operator=(const ThreadCleanup&) = delete;
  ~ThreadCleanup() { vips_thread_shutdown(); }
};

struct FreeBlob {
  void operator()(VipsBlob* blob) const { vips_area_unref(reinterpret_cast<VipsArea*>(blob)); }
};
using Blob = std::unique_ptr<VipsBlob, FreeBlob>;

struct Size {
  std::uint64_t width = 0;
  std::uint64_t height = 0;
};

std::string to_text(Size size) {
  return std::to_string(size.width) + " x " + std::to_string(size.height) + " px";
}

// What the header tells, with the sides as they are once the image is upright.
struct Header {
  const Loader* loader = nullptr;
  Size size;
  bool is_upright = true;
};

Result<const Loader*> recognise(ByteView input) {
  if (input.empty()) return fault(FaultKind::BadData, "the input is empty; give an image file");
  const char* const found = vips_foreign_find_load_buffer(input.data(), input.size());
  for (const Loader& loader : loaders) {
    if (found != nullptr && std::strcmp(found, loader.vips_class) == 0) return &loader;
  }
  vips_error_clear();
  return fault(FaultKind::BadData,
               "the input is not an image this worker reads (it begins with " +
                   in_quotes(as_text(input.first(std::min<std::size_t>(input.size(), 16)))) + "); give " +
                   std::string(readable_formats));
}

Result<Header> read_header(ByteView input, const Loader& loader) {
  try {
    const VImage image = VImage::new_from_buffer(input.data(), input.size(), "",
                                                 VImage::option()->set("access", VIPS_ACCESS_SEQUENTIAL));
    Header header{
        .loader = &loader,
        .size = {static_cast<std::uint64_t>(image.width()), static_cast<std::uint64_t>(image.height())}};
    header.is_upright = vips_image_get_orientation(image.get_image()) == 1;
    if (vips_image_get_orientation_swap(image.get_image())) std::swap(header.size.width, header.size.height);
    return header;
  } catch (const VError&) {
    vips_error_clear();
    return fault(FaultKind::BadData, "the " + std::string(loader.name) +
                                         " image's header is damaged or cut short; give the whole file");
  }
}

// The sides of an image scaled to a box; 0 in the box is free.
Size scaled_size(Size from, Size box, Fit fit, bool enlarge) {
  const double across = static_cast<double>(box.width) / static_cast<double>(from.width);
  const double down = static_cast<double>(box.height) / static_cast<double>(from.height);
  if (box.width != 0 && box.height != 0 && fit == Fit::Fill) return box;
  double scale = box.width == 0 ? down : across;
  const bool has_both = box.width != 0 && box.height != 0;
  if (has_both) scale = fit == Fit::Cover ? std::max(across, down) : std::min(across, down);
  if (!enlarge) scale = std::min(scale, 1.0);
  const auto side = [scale](std::uint64_t length) {
    return static_cast<std::uint64_t>(std::max(1LL, std::llround(static_cast<double>(length) * scale)));
  };
  Size to{side(from.width), side(from.height)};
  if (has_both && fit == Fit::Cover) to = {std::min(to.width, box.width), std::min(to.height, box.height)};
  return to;
}

// The smallest upright rectangle around a turned one.
Size turned_size(Size from, double degrees) {
  const double radians = degrees * std::acos(-1.0) / 180;
  const double across = std::abs(std::cos(radians));
  const double down = std::abs(std::sin(radians));
  const auto width = static_cast<double>(from.width);
  const auto height = static_cast<double>(from.height);
  return {static_cast<std::uint64_t>(std::ceil(width * across + height * down)),
          static_cast<std::uint64_t>(std::ceil(width * down + height * across))};
}

Size box_of(const ImageRequest& request) { return {request.width.value_or(0), request.height.value_or(0)}; }

bool is_scaling(Transform transform) {
  return transform == Transform::Resize || transform == Transform::Thumbnail;
}

// The size of the result, to within a pixel.
Size planned_size(const ImageRequest& request, Size from) {
  if (is_scaling(request.transform)) {
    return scaled_size(from, box_of(request), request.fit, request.transform == Transform::Resize);
  }
  if (request.transform == Transform::Rotate) return turned_size(from, request.angle);
  if (request.transform == Transform::Crop) return box_of(request);
  return from;
}

std::uint64_t longest_side(ImageFormat format) {
  switch (format) {
    case ImageFormat::Jpeg:
      return 65500;  // libjpeg's JPEG_MAX_DIMENSION
    case ImageFormat::Webp:
      return 16383;  // 14 bits in its header
    case ImageFormat::Gif:
      return 65535;  // 16 bits in its header
    case ImageFormat::Png:
      return 0x7fffffff;
  }
  return 0;
}

Status check_sizes(const ImageRequest& request, Size from, ImageFormat format, const ImageLimits& bounds) {
  const auto pixels = [](Size size) { return size.width * size.height; };
  if (pixels(from) > bounds.pixels) {
    return fault(FaultKind::BadData, "the image claims " + to_text(from) + ", more than the " +
                                         std::to_string(bounds.pixels) + " pixels a worker opens");
  }
  if (request.transform == Transform::Crop) {
    const Size end{std::uint64_t{request.left} + *request.width,
                   std::uint64_t{request.top} + *request.height};
    if (end.width > from.width || end.height > from.height) {
      return fault(FaultKind::BadUsage,
                   "the part to keep ends at " + to_text(end) + ", outside the image of " + to_text(from));
    }
  }
  const Size to = planned_size(request, from);
  const std::uint64_t longest =
      is_scaling(request.transform) ? std::uint64_t{limits::image_side} : longest_side(format);
  if (std::max(to.width, to.height) > longest || pixels(to) > bounds.pixels) {
    return fault(FaultKind::BadUsage, "the result would have " + to_text(to) + "; a " +
                                          std::string(to_text(format)) + " has at most " +
                                          std::to_string(longest) + " a side and " +
                                          std::to_string(bounds.pixels) + " in all");
  }
  return {};
}

// Told by libvips as pixels go by, on a thread of its own choosing.
struct Watch {
  const CancelToken& cancelled;
  RunProgress& progress;

  static void on_progress(VipsImage* image, VipsProgress* now, void* self) {
    const auto& watch = *static_cast<const Watch*>(self);
    if (watch.cancelled.cancelled()) vips_image_set_kill(image, TRUE);
    // Decoding and encoding each count from 0 to 100: what was reached is kept.
    const auto permille = static_cast<std::uint32_t>(std::clamp(now->percent, 0, 99)) * 10;
    if (permille > watch.progress.permille()) watch.progress.set_permille(permille);
  }
  // REQUIRES: this outlives the image and all that is made from it.
  void attach(VImage& image) {
    vips_image_set_progress(image.get_image(), TRUE);
    g_signal_connect(image.get_image(), "eval", G_CALLBACK(on_progress), this);
  }
};

// Decodes and scales in one, so that jpeg and webp shrink while they are decoded.
VImage open_scaled(ByteView input, const ImageRequest& request) {
  constexpr int free_side = 10'000'000;  // VIPS_MAX_COORD: never the side that bounds
  const Size box = box_of(request);
  const bool has_both = box.width != 0 && box.height != 0;
  VipsSize scaling = VIPS_SIZE_BOTH;
  if (request.transform == Transform::Thumbnail) scaling = VIPS_SIZE_DOWN;
  if (has_both && request.fit == Fit::Fill) scaling = VIPS_SIZE_FORCE;
  const bool cuts = has_both && request.fit == Fit::Cover;
  const Blob blob(vips_blob_new(nullptr, input.data(), input.size()));
  // libvips 8.14 forgets thumbnail's own fail_on for buffers; in the loader's options it counts.
  return VImage::thumbnail_buffer(
      blob.get(), box.width == 0 ? free_side : static_cast<int>(box.width),
      VImage::option()
          ->set("height", box.height == 0 ? free_side : static_cast<int>(box.height))
          ->set("size", scaling)
          ->set("crop", cuts ? VIPS_INTERESTING_CENTRE : VIPS_INTERESTING_NONE)
          ->set("option_string", "[fail_on=error]"));
}

VImage open_upright(ByteView input, const Header& header, const ImageRequest& request, Watch& watch) {
  // Turning reads pixels in another order than the file's, so the image has to be decoded whole first.
  const bool in_order = header.is_upright && request.transform != Transform::Rotate;
  VImage image =
      VImage::new_from_buffer(input.data(), input.size(), "",
                              VImage::option()
                                  ->set("access", in_order ? VIPS_ACCESS_SEQUENTIAL : VIPS_ACCESS_RANDOM)
                                  ->set("fail_on", VIPS_FAIL_ON_ERROR));
  watch.attach(image);
  return header.is_upright ? image : image.autorot();
}

bool is_grey(const VImage& image) { return image.bands() < 3; }

// 8 bits a channel, sRGB or grey. The profile goes, so the numbers must mean the same without it.
VImage to_plain_colours(VImage image) {
  const bool grey = is_grey(image);
  if (image.get_typeof(VIPS_META_ICC_NAME) != 0) {
    try {
      image = image.icc_transform(
          "srgb", VImage::option()->set("embedded", true)->set("intent", VIPS_INTENT_PERCEPTUAL));
    } catch (const VError&) {
      vips_error_clear();  // a profile for other colours than the image has: viewers ignore it too
    }
  }
  const VipsInterpretation wanted = grey ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
  if (image.interpretation() != wanted) image = image.colourspace(wanted);
  return image.format() == VIPS_FORMAT_UCHAR ? image : image.cast(VIPS_FORMAT_UCHAR);
}

VImage rotated(const VImage& image, double angle) {
  const double turn = std::fmod(std::fmod(angle, 360) + 360, 360);
  if (turn == 0) return image;
  if (turn == 90) return image.rot90();
  if (turn == 180) return image.rot180();
  if (turn == 270) return image.rot270();
  // Premultiplied, so that the colour of what cannot be seen does not bleed into the edges.
  const VImage solid = (image.has_alpha() ? image : image.bandjoin_const({255})).premultiply();
  const VImage turned =
      solid.rotate(turn, VImage::option()->set("interpolate", vips::VInterpolate::new_from_name("bicubic")));
  return turned.unpremultiply().cast(VIPS_FORMAT_UCHAR);
}

VImage flattened(VImage image, std::uint32_t colour) {
  const double red = (colour >> 16) & 0xff;
  const double green = (colour >> 8) & 0xff;
  const double blue = colour & 0xff;
  if (is_grey(image)) {
    if (red == green && green == blue)
      return image.flatten(VImage::option()->set("background", std::vector{red}));
    image = image.colourspace(VIPS_INTERPRETATION_sRGB);
  }
  return image.flatten(VImage::option()->set("background", std::vector{red, green, blue}));
}

VImage transformed(VImage image, const ImageRequest& request, ImageFormat format) {
  image = to_plain_colours(image);
  if (request.transform == Transform::Rotate) image = rotated(image, request.angle);
  if (request.transform == Transform::Crop) {
    image = image.extract_area(static_cast<int>(request.left), static_cast<int>(request.top),
                               static_cast<int>(*request.width), static_cast<int>(*request.height));
  }
  if (image.has_alpha() && (request.background || format == ImageFormat::Jpeg)) {
    image = flattened(image, request.background.value_or(0xffffff));
  }
  if (request.transform == Transform::Grayscale) image = image.colourspace(VIPS_INTERPRETATION_B_W);
  return image;
}

// Only the pixels: fields that savers act on (a gif's palette, delays, pages) go with the rest.
VImage without_metadata(const VImage& image) {
  VImage bare = image.copy();
  char** const fields = vips_image_get_fields(bare.get_image());
  for (char** field = fields; *field != nullptr; ++field) vips_image_remove(bare.get_image(), *field);
  g_strfreev(fields);
  return bare;
}

Bytes encoded(const VImage& image, ImageFormat format, int quality) {
  vips::VOption* const options = VImage::option()->set("strip", true);
  Blob blob;
  switch (format) {
    case ImageFormat::Jpeg:
      blob.reset(image.jpegsave_buffer(options->set("Q", quality)));
      break;
    case ImageFormat::Png:
      blob.reset(image.pngsave_buffer(options));
      break;
    case ImageFormat::Webp:
      blob.reset(image.webpsave_buffer(options->set("Q", quality)));
      break;
    case ImageFormat::Gif:
      blob.reset(image.gifsave_buffer(options));
      break;
  }
  std::size_t size = 0;
  const auto* const data = static_cast<const std::uint8_t*>(vips_blob_get(blob.get(), &size));
  if (format == ImageFormat::Webp) return without_webp_metadata({data, size});
  return {data, data + size};
}

// libvips keeps one error text for all threads, so it may hold another task's lines: good for telling a
// machine out of room, where a wrong guess costs one retry, but never shown.
bool is_out_of_room() {
  const std::unique_ptr<char, decltype(&g_free)> text(vips_error_buffer_copy(), g_free);
  return std::strstr(text.get(), "out of memory") != nullptr ||
         std::strstr(text.get(), "No space left") != nullptr;
}

Fault explain_failure(const Header& header, const CancelToken& cancelled) {
  const bool out_of_room = is_out_of_room();
  if (cancelled.cancelled()) return {FaultKind::TryAgain, "stopped before it was done"};
  const std::string what = "the " + std::string(header.loader->name) + " image of " + to_text(header.size);
  if (out_of_room)
    return {FaultKind::TryAgain, "no memory or temporary space left for " + what + "; try again later"};
  return {FaultKind::BadData, what + " is damaged or cut short; give the whole file"};
}

}  // namespace

std::string_view to_text(ImageFormat format) {
  constexpr std::array<std::string_view, 4> names{"jpeg", "png", "webp", "gif"};
  return names[static_cast<std::size_t>(format)];
}

ImageTransformer::ImageTransformer(ImageLimits limits) : limits_(limits) {
  ENSURE(vips_init("cidbus") == 0, "libvips", vips_error_buffer());
  vips_concurrency_set(1);
  vips_cache_set_max(0);
  vips_operation_block_set("VipsForeignLoad", TRUE);
  for (const Loader& loader : loaders) vips_operation_block_set(loader.vips_family, FALSE);
  vips_block_untrusted_set(TRUE);
  g_log_set_handler(
      "VIPS", G_LOG_LEVEL_MASK, [](const char*, GLogLevelFlags, const char*, void*) {}, nullptr);
}

std::optional<ImageSize> ImageTransformer::measure(ByteView head) const {
  const ThreadCleanup cleanup;
  const auto loader = recognise(head);
  if (!loader) return std::nullopt;
  const auto header = read_header(head, **loader);
  if (!header) return std::nullopt;
  return ImageSize{header->size.width, header->size.height};
}

Result<TransformedImage> ImageTransformer::transform(ByteView input, const ImageRequest& request,
                                                     const CancelToken& cancelled,
                                                     RunProgress& progress) const {
  const ThreadCleanup cleanup;
  const auto loader = recognise(input);
  if (!loader) return tl::unexpected(loader.error());
  const auto header = read_header(input, **loader);
  if (!header) return tl::unexpected(header.error());
  const ImageFormat format = request.format.value_or((*loader)->writes.value_or(ImageFormat::Png));
  if (Status sizes = check_sizes(request, header->size, format, limits_); !sizes) {
    return tl::unexpected(sizes.error());
  }
  if (cancelled.cancelled()) return fault(FaultKind::TryAgain, "stopped before it was done");
  Watch watch{cancelled, progress};
  try {
    VImage image;
    if (is_scaling(request.transform)) {
      image = open_scaled(input, request);
      watch.attach(image);
    } else {
      image = open_upright(input, *header, request, watch);
    }
    image = transformed(image, request, format);
    TransformedImage result{.bytes = encoded(without_metadata(image), format, request.quality),
                            .width = static_cast<std::uint32_t>(image.width()),
                            .height = static_cast<std::uint32_t>(image.height()),
                            .format = format};
    progress.set_permille(1000);
    return result;
  } catch (const VError&) {
    return tl::unexpected(explain_failure(*header, cancelled));
  } catch (const std::bad_alloc&) {
    return fault(FaultKind::TryAgain,
                 "no memory left for an image of " + to_text(header->size) + "; try again later");
  }
}

}  // namespace cidbus
