// ENSURE: the check of a bug, on in every build.
//
// Three kinds of failure are never mixed here: an answer (an enum or a struct), a fault (Result<T>, result.h)
// and a bug. ENSURE is for bugs: a broken invariant or precondition. It prints the place, the condition and
// the values given, then aborts: a broker that is wrong about its own state must not go on answering.
//
// Thread rule: any thread. Limits: none.
#pragma once

#include <sstream>
#include <string>

namespace cidbus {

[[noreturn]] void ensure_failed(const char* condition, const char* file, int line, const std::string& values);

namespace detail {
template <typename... Values>
std::string describe_values(const Values&... values) {
  std::ostringstream out;
  ((out << ' ' << values), ...);
  return out.str();
}
}  // namespace detail

}  // namespace cidbus

// ENSURE(condition, "name", value, ...): values are printed in order, separated by spaces.
#define ENSURE(condition, ...)                                                 \
  do {                                                                         \
    if (!(condition)) [[unlikely]]                                             \
      ::cidbus::ensure_failed(#condition, __FILE__, __LINE__,                  \
                              ::cidbus::detail::describe_values(__VA_ARGS__)); \
  } while (false)
