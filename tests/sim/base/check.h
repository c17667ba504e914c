// How a checker of the simulated group says that a truth does not hold: by name, so that a test can tell
// which checker noticed what.
//
// ENSUREs of the core are caught the same way (check.cpp), as the checker "ENSURE": a seed that fails can
// then be printed, and a broken rule be attributed.
//
// Thread rule: values. Limits: none.
#pragma once

#include <sstream>
#include <string>

namespace cidbus::sim {

struct CheckFailed {
  std::string checker;
  std::string what;
};

[[noreturn]] inline void fail_check(std::string checker, std::string what) {
  throw CheckFailed{std::move(checker), std::move(what)};
}

// check(condition, "I1 one leader", "epoch ", 7, ...)
template <typename... Parts>
void check(bool condition, const char* checker, const Parts&... parts) {
  if (condition) [[likely]]
    return;
  std::ostringstream what;
  (what << ... << parts);
  fail_check(checker, what.str());
}

}  // namespace cidbus::sim
