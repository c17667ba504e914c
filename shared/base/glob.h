// Patterns for names, as people know them from a shell: * stands for any text, ? for any one byte.
//
// Thread rule: a function of its arguments. Limits: none; time is at most pattern times text.
#pragma once

#include <string_view>

namespace cidbus {

bool matches_glob(std::string_view pattern, std::string_view text);

}  // namespace cidbus
