// How a name, path or CID that came from outside stands in a message: in quotes, on one line, in valid UTF-8.
//
// Control characters, quotes' own escapes and bytes that are not UTF-8 become \xNN; what is longer than
// quoted_bytes is cut and ends in "...".
//
// Thread rule: a function of its argument. Limits: quoted_bytes.
#pragma once

#include <string>
#include <string_view>

namespace cidbus {

inline constexpr std::size_t quoted_bytes = 120;

std::string in_quotes(std::string_view text);

}  // namespace cidbus
