// `process_content`: an image in, an image out. Parameters say which transform; image.h does it.
//
// Here the words of a task become an ImageRequest, checked wholly before the input is read, so that a mistake
// in a parameter costs no transfer.
//
// Values: width, height (pixels), format, bytes of the result.
//
// Thread rule: handler.h; made before other threads use libvips. Limits: limits::image_bytes, image_pixels,
// image_side.
#pragma once

#include <memory>

#include "shared/base/limits/images.h"
#include "worker/handlers/handler.h"

namespace cidbus {

std::unique_ptr<Handler> make_process_content();

}  // namespace cidbus
