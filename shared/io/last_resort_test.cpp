#include "shared/io/last_resort.h"

#include <gtest/gtest.h>

#include <future>
#include <optional>

namespace cidbus {
namespace {

using namespace std::chrono_literals;

// What a role's destructor does while a task type of it does not return.
void wait_for_ever() { std::promise<void>().get_future().wait(); }

TEST(LastResortDeathTest, EndsAProcessThatHangsWithTheCodeItWouldHaveHad) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(
      {
        LastResort last_resort(50ms);
        last_resort.arm("cidbus-worker", "a task", 143);
        wait_for_ever();
      },
      testing::ExitedWithCode(143), "cidbus-worker: a task did not stop; ended without it");
}

TEST(LastResort, DestroyedInTimeChangesNothing) {
  std::optional<LastResort> last_resort(std::in_place, 1h);
  last_resort->arm("cidbus-worker", "a task", 143);
  last_resort.reset();
  last_resort.emplace();
}

}  // namespace
}  // namespace cidbus
