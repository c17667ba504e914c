// Pins of a node. What limits are for: README.md, here.
#pragma once

#include <cstddef>

namespace cidbus::limits {

inline constexpr std::size_t pins_a_worker = 10'000;  // about 600 KB, written anew with each change

}  // namespace cidbus::limits
