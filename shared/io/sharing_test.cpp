#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "shared/io/pool.h"
#include "shared/io/quota.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;

TEST(Quota, GivesRoomUpToTheWholeAndThenWhatComesBack) {
  Quota quota(10);
  EXPECT_TRUE(quota.take(6, 0ms));
  EXPECT_TRUE(quota.take(4, 0ms));
  EXPECT_FALSE(quota.take(1, 0ms));
  quota.give(4);
  EXPECT_FALSE(quota.take(5, 1ms));
  EXPECT_TRUE(quota.take(4, 0ms));
}

TEST(Quota, WhoAsksForMoreThanTheWholeWaitsUntilNothingIsTaken) {
  Quota quota(10);
  EXPECT_TRUE(quota.take(1, 0ms));
  EXPECT_FALSE(quota.take(11, 0ms));
  quota.give(1);
  EXPECT_TRUE(quota.take(11, 0ms));
  EXPECT_FALSE(quota.take(1, 0ms));
}

TEST(Quota, WakesWhoWaits) {
  Quota quota(1);
  EXPECT_TRUE(quota.take(1, 0ms));
  auto waiting = std::async(std::launch::async, [&] { return quota.take(1, 60s); });
  quota.give(1);
  EXPECT_TRUE(waiting.get());
}

TEST(Pool, LendsWhatIsIdleAndMakesWhatIsNot) {
  int made = 0;
  Pool<int> pool(1, [&] { return std::make_unique<int>(++made); });
  {
    const auto first = pool.borrow();
    const auto second = pool.borrow();
    EXPECT_EQ(*first + *second, 3);
  }
  const auto kept = pool.borrow();
  EXPECT_EQ(*kept, 2) << "the one that came back first; the other was let go";
  EXPECT_EQ(made, 2);
}

}  // namespace
}  // namespace cidbus
