// The version of all programs, which are built together.
#pragma once

namespace cidbus {

inline constexpr const char* version = "0.1.0";

}  // namespace cidbus
