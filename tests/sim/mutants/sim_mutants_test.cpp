// The checkers bite: each promise of shared/base/promises.h, broken by itself, is noticed, by the checker
// named here, within so many seeds. This program alone is built with these switches.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <optional>

#include "shared/base/promises.h"
#include "tests/sim/world.h"

namespace cidbus::sim {
namespace {

struct Caught {
  std::uint64_t seed = 0;
  std::string checker;
};

class Broken {
 public:
  explicit Broken(Promise promise) { broken_promise = promise; }
  ~Broken() { broken_promise = Promise::None; }
  Broken(const Broken&) = delete;
  Broken& operator=(const Broken&) = delete;
};

std::optional<Caught> caught_within(Promise promise, std::uint64_t seeds) {
  const Broken broken(promise);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    try {
      World(seed).run();
    } catch (const CheckFailed& failed) {
      return Caught{seed, failed.checker};
    }
  }
  return std::nullopt;
}

struct Mutant {
  const char* name;
  Promise promise;
  std::uint64_t seeds;  // it must be caught within so many
  std::string checker;  // who is the first to notice
};
void PrintTo(const Mutant& mutant, std::ostream* out) { *out << mutant.name; }

class Mutants : public testing::TestWithParam<Mutant> {};

TEST_P(Mutants, IsCaught) {
  const Mutant& mutant = GetParam();
  const auto caught = caught_within(mutant.promise, mutant.seeds);
  ASSERT_TRUE(caught) << mutant.name << " was not noticed in " << mutant.seeds << " seeds";
  std::cout << mutant.name << ": by '" << caught->checker << "', seed " << caught->seed << "\n";
  EXPECT_EQ(caught->checker, mutant.checker);
}

INSTANTIATE_TEST_SUITE_P(
    Promises, Mutants,
    testing::Values(Mutant{"EpochFence", Promise::EpochFence, 300, "W2 fencing"},
                    Mutant{"StrictStops", Promise::StrictStops, 300, "W3 strict alone"},
                    Mutant{"StrictResult", Promise::StrictResult, 300, "I7 told after commit"},
                    Mutant{"ResendIdentity", Promise::ResendIdentity, 20, "C3 submitted once"}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(Mutants, WithEveryPromiseKeptNothingIsNoticed) {
  EXPECT_FALSE(caught_within(Promise::None, 50).has_value());
}

}  // namespace
}  // namespace cidbus::sim
