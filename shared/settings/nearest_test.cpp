#include "shared/settings/nearest.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

TEST(Nearest, CountsWhatATypistGetsWrong) {
  EXPECT_EQ(edit_distance("slots", "slots"), 0u);
  EXPECT_EQ(edit_distance("slot", "slots"), 1u) << "left out";
  EXPECT_EQ(edit_distance("sslots", "slots"), 1u) << "doubled";
  EXPECT_EQ(edit_distance("slits", "slots"), 1u) << "another letter";
  EXPECT_EQ(edit_distance("sltos", "slots"), 1u) << "two swapped";
  EXPECT_EQ(edit_distance("", "slots"), 5u);
  EXPECT_EQ(edit_distance("abc", "xyz"), 3u);
}

TEST(Nearest, TakesTheNearestAndNothingThatIsFar) {
  const std::vector<std::string> known{"slots", "storage-max", "data", "drain"};
  EXPECT_EQ(nearest("slot", known), "slots");
  EXPECT_EQ(nearest("storagemax", known), "storage-max");
  EXPECT_EQ(nearest("brain", known), "drain");
  EXPECT_EQ(nearest("wroker", {"broker", "worker"}), "worker") << "people get the first letter right";
  EXPECT_EQ(nearest("weather", known), "");
  EXPECT_EQ(nearest("", known), "");
  EXPECT_EQ(nearest(std::string(100'000, 's'), known), "");
  EXPECT_EQ(did_you_mean("slot", known), "; did you mean 'slots'?");
  EXPECT_EQ(did_you_mean("weather", known), "");
}

}  // namespace
}  // namespace cidbus
