#include "worker/handlers/process_content.h"

#include <array>

#include "worker/handlers/image.h"
#include "worker/handlers/parameters.h"

namespace cidbus {
namespace {

constexpr std::string_view type_name = "process_content";
constexpr std::uint32_t usual_width = 320;

constexpr std::array<ParameterHelp, 11> process_content_help{{
    {"transform", "resize, thumbnail, convert, grayscale, rotate or crop", "required"},
    {"width", "resize, crop: pixels, 1 to 16383", "320 for resize without width and height"},
    {"height", "resize, crop: pixels, 1 to 16383", "none"},
    {"fit",
     "resize with both sides, thumbnail: inside (all of it), cover (fills the box, edges cut), fill "
     "(resize only: stretched)",
     "inside"},
    {"size", "thumbnail: side of the square box in pixels, 1 to 16383; a smaller image is not enlarged",
     "256"},
    {"left", "crop: pixels from the left edge", "0"},
    {"top", "crop: pixels from the upper edge", "0"},
    {"angle", "rotate: degrees clockwise, -360 to 360; required there", "none"},
    {"format", "of the result: jpeg (or jpg), png, webp or gif; required by convert",
     "the input's, or png where that cannot be written"},
    {"quality", "of jpeg and webp, 1 to 100; png and gif ignore it", "80"},
    {"background", "colour behind what is transparent, rrggbb", "stays transparent; white in jpeg"},
}};

std::optional<std::uint32_t> side(Parameters& parameters, std::string_view name) {
  const auto value = parameters.whole(name, 1, limits::image_side);
  return value ? std::optional(static_cast<std::uint32_t>(*value)) : std::nullopt;
}

std::uint32_t offset(Parameters& parameters, std::string_view name) {
  return static_cast<std::uint32_t>(parameters.whole(name, 0, 1'000'000'000).value_or(0));
}

void read_resize(Parameters& parameters, ImageRequest& request) {
  request.width = side(parameters, "width");
  request.height = side(parameters, "height");
  request.fit = static_cast<Fit>(parameters.one_of("fit", {"inside", "cover", "fill"}).value_or(0));
  if (!request.width && !request.height) request.width = usual_width;
}

void read_thumbnail(Parameters& parameters, ImageRequest& request) {
  request.width = request.height = side(parameters, "size").value_or(256);
  request.fit = static_cast<Fit>(parameters.one_of("fit", {"inside", "cover"}).value_or(0));
}

void read_rotate(Parameters& parameters, ImageRequest& request) {
  const auto angle = parameters.decimal("angle", -360, 360);
  if (!angle) parameters.fail("give angle, in degrees clockwise");
  request.angle = angle.value_or(0);
}

void read_crop(Parameters& parameters, ImageRequest& request) {
  request.width = side(parameters, "width");
  request.height = side(parameters, "height");
  request.left = offset(parameters, "left");
  request.top = offset(parameters, "top");
  if (!request.width || !request.height)
    parameters.fail("give width and height of the part to keep, in pixels");
}

void read_output(Parameters& parameters, ImageRequest& request) {
  constexpr std::array formats{ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Webp, ImageFormat::Gif,
                               ImageFormat::Jpeg};
  if (const auto format = parameters.one_of("format", {"jpeg", "png", "webp", "gif", "jpg"})) {
    request.format = formats[*format];
  } else if (request.transform == Transform::Convert) {
    parameters.fail("give format: jpeg, png, webp or gif");
  }
  request.quality = static_cast<int>(parameters.whole("quality", 1, 100).value_or(80));
  request.background = parameters.colour("background");
}

Result<ImageRequest> read_request(const NamedTexts& given) {
  constexpr std::array names{"resize", "thumbnail", "convert", "grayscale", "rotate", "crop"};
  Parameters parameters(std::string(type_name), given);
  const auto transform =
      parameters.one_of("transform", {names[0], names[1], names[2], names[3], names[4], names[5]});
  ImageRequest request;
  if (transform) {
    request.transform = static_cast<Transform>(*transform);
    parameters.set_subject(std::string(type_name) + " " + names[*transform]);
    if (request.transform == Transform::Resize) read_resize(parameters, request);
    if (request.transform == Transform::Thumbnail) read_thumbnail(parameters, request);
    if (request.transform == Transform::Rotate) read_rotate(parameters, request);
    if (request.transform == Transform::Crop) read_crop(parameters, request);
    read_output(parameters, request);
  } else {
    parameters.fail("give transform: resize, thumbnail, convert, grayscale, rotate or crop");
  }
  if (Status checked = parameters.finish(); !checked) return tl::unexpected(checked.error());
  return request;
}

class ProcessContent final : public Handler {
 public:
  std::string_view type() const override { return type_name; }
  std::string_view summary() const override { return "an image in, a transformed image out"; }
  std::span<const ParameterHelp> help() const override { return process_content_help; }
  int version() const override { return 1; }
  bool deterministic() const override { return true; }

  Result<HandlerOutput> run(const HandlerInput& input, Content& content) const override {
    const auto request = read_request(input.parameters);
    if (!request) return tl::unexpected(request.error());
    const auto source = only_input(type_name, input);
    if (!source) return tl::unexpected(source.error());
    const auto bytes = content.read(*source, limits::image_bytes);
    if (!bytes) return tl::unexpected(bytes.error());
    auto image = images_.transform(*bytes, *request, input.cancelled, input.progress);
    if (!image) {
      return fault(image.error().kind, std::string(type_name) + ": " + image.error().message);
    }
    const auto stored = content.write(image->bytes);
    if (!stored) return tl::unexpected(stored.error());
    return HandlerOutput{.cids = {*stored},
                         .values = {{"width", std::to_string(image->width)},
                                    {"height", std::to_string(image->height)},
                                    {"format", std::string(to_text(image->format))},
                                    {"bytes", std::to_string(image->bytes.size())}}};
  }

 private:
  ImageTransformer images_;
};

}  // namespace

std::unique_ptr<Handler> make_process_content() { return std::make_unique<ProcessContent>(); }

}  // namespace cidbus
