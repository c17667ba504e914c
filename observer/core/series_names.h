// The names of all series that an observer has, so that a rule on one that does not exist is refused instead
// of never firing. What each means: docs/observer.md, which a test compares with this list.
//
// Thread rule: constants. Limits: none.
#pragma once

#include <span>
#include <string_view>

namespace cidbus {

std::span<const std::string_view> known_series();
// Whether the pattern, with * and ?, stands for any of them.
bool is_known_series(std::string_view pattern);

}  // namespace cidbus
