// Images that process_content reads and writes: where each of them stops. What limits are for: README.md,
// here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cidbus::limits {

inline constexpr std::size_t image_bytes = 256 << 20;       // an image file that is read
inline constexpr std::uint64_t image_pixels = 400'000'000;  // of an image, told before it is decoded
inline constexpr std::uint32_t image_side = 16383;  // pixels a side that can be asked for; WebP's bound

inline constexpr std::size_t analyzed_head = 1 << 20;  // bytes of a file that tell its type and dimensions

}  // namespace cidbus::limits
