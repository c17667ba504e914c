// Settings: how large a configuration file may be. What limits are for: README.md, here.
#pragma once

#include <cstddef>

namespace cidbus::limits {

inline constexpr std::size_t config_file_bytes = 1 << 20;
inline constexpr std::size_t config_depth = 16;  // tables and lists within one another
// Dots of one dotted name. The TOML library frees nested tables by recursion, so that names as long as the
// file would end the stack.
inline constexpr std::size_t config_name_dots = 64;

}  // namespace cidbus::limits
