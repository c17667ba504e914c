#include "shared/base/glob.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace cidbus {
namespace {

TEST(Glob, MatchAsInAShellButForTheSlash) {
  const std::pair<const char*, const char*> good[] = {
      {"", ""},      {"*", ""},       {"*", "abc"},        {"a*c", "abbbc"}, {"a?c", "abc"},
      {"**a", "xa"}, {"*ab*", "aab"}, {"a*b*c", "aXbXbc"}, {"a/*", "a/b/c"}};
  for (const auto& [pattern, text] : good) EXPECT_TRUE(matches_glob(pattern, text)) << pattern << " " << text;
  const std::pair<const char*, const char*> bad[] = {
      {"", "a"}, {"a", ""}, {"?", ""}, {"a*c", "ab"}, {"ab", "abc"}};
  for (const auto& [pattern, text] : bad) EXPECT_FALSE(matches_glob(pattern, text)) << pattern << " " << text;
}

}  // namespace
}  // namespace cidbus
