// "Did you mean ...": the known word that a mistyped one is nearest to.
//
// Thread rule: functions of their arguments. Limits: words above 64 bytes are not compared.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cidbus {

// Letters to add, leave out, exchange or swap with the next, until one word is the other.
std::size_t edit_distance(std::string_view one, std::string_view other);

// The nearest of `known`; of several, one that begins alike, or the first. Empty when none is near: more than
// a third of it differs.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

// "; did you mean 'known'?", or nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace cidbus
