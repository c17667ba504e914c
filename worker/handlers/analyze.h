// `analyze`: what a file is: its type, its size, an image's dimensions, a text's counts.
//
// One pass over the bytes, of any number, in bounded memory: the type (libmagic) and the dimensions of an
// image are told by the beginning, everything else is counted as it goes by. No pixel is decoded, and nothing
// is unpacked.
//
// Values, each only where it applies:
//   type           MIME type: image/jpeg, text/plain, ...
//   size           bytes
//   width, height  pixels, upright as its EXIF orientation says; of the image formats process_content reads
//   encoding       ascii, utf-8, or binary: bytes that are no UTF-8, or a zero byte
//   lines, words, characters   of ascii and utf-8, as `wc -l`, `wc -w` and `wc -m` count them
//
// Thread rule: handler.h. Limits: limits::analyzed_head.
#pragma once

#include <memory>

#include "worker/handlers/handler.h"

namespace cidbus {

std::unique_ptr<Handler> make_analyze();

}  // namespace cidbus
