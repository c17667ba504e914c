// Takes the metadata out of a WebP file (https://developers.google.com/speed/webp/docs/riff_container).
//
// webpsave of libvips 8.14 ignores `strip` and writes EXIF that nobody asked for; so its chunks are dropped
// afterwards.
//
// Thread rule: a function of its argument. Limits: none; a text that is no WebP file comes back as it was.
#pragma once

#include "shared/base/bytes.h"

namespace cidbus {

// Without the chunks EXIF, XMP and ICCP, and without their flags in VP8X. Pixels, alpha and frames stay.
Bytes without_webp_metadata(ByteView file);

}  // namespace cidbus
