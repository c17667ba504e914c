// How a name, path or CID that came from outside stands in a message: on one line, in valid UTF-8, and such
// that it cannot move a cursor or turn the direction of writing.
//
// Control characters (C0, DEL, C1), line and paragraph separators, directional marks and bytes that are not
// UTF-8 become \xNN.
//
// Thread rule: a function of its argument. Limits: quoted_bytes, for in_quotes().
#pragma once

#include <string>
#include <string_view>

namespace cidbus {

inline constexpr std::size_t quoted_bytes = 120;

// In quotes, backslashes escaped too; what is longer than quoted_bytes is cut and ends in "...".
std::string in_quotes(std::string_view text);
// Without quotes, and whole.
std::string escaped(std::string_view text);
// Whether there is nothing to escape: what may be kept as a name, since it reads as it is.
bool is_plain_line(std::string_view text);

}  // namespace cidbus
