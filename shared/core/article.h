// "a worker", "an observer": for sentences about a role.
//
// Thread rule: a pure function. Limits: none.
#pragma once

#include <string>
#include <string_view>

namespace cidbus {

[[nodiscard]] inline std::string with_article(std::string_view noun) {
  const bool begins_with_vowel =
      !noun.empty() && std::string_view("aeiou").find(noun.front()) != std::string_view::npos;
  return (begins_with_vowel ? "an " : "a ") + std::string(noun);
}

}  // namespace cidbus
