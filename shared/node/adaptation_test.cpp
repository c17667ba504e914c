#include "shared/node/adaptation.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

using namespace std::chrono_literals;

// A worker of eight slots, measured whenever that is due.
class SlotAdaptationTest : public testing::Test {
 protected:
  void hold(int percent_used, Duration time) {
    for (const Monotonic until = now + time; now < until; now = rule.next()) {
      Machine machine;
      machine.memory_bytes = 100'000;
      machine.memory_available_bytes = 1000ULL * static_cast<std::uint64_t>(100 - percent_used);
      const auto move = rule.measure(now, machine, slots);
      if (!move) continue;
      EXPECT_EQ(move->from, slots);
      slots = move->to;
      reason = move->reason;
      ++moves;
    }
  }

  Monotonic now{};
  std::uint32_t slots = 8;
  SlotAdaptation rule{8};
  std::string reason;
  int moves = 0;
};

TEST_F(SlotAdaptationTest, PressureClosesHalfAtATimeAndLeavesOne) {
  hold(85, 4s);
  EXPECT_EQ(slots, 4U);
  EXPECT_EQ(reason, "85 % of the memory is used");
  hold(85, 60s);
  EXPECT_EQ(slots, 1U);
  EXPECT_EQ(moves, 3);
}

TEST_F(SlotAdaptationTest, WhenItIsOverTheyOpenOneByOneUpToTheNumberGiven) {
  hold(85, 60s);
  hold(50, 16s);
  EXPECT_EQ(slots, 3U);
  hold(50, 10min);
  EXPECT_EQ(slots, 8U);
}

TEST_F(SlotAdaptationTest, InBetweenNothingMoves) {
  hold(79, 60s);
  EXPECT_EQ(slots, 8U);
  hold(85, 4s);
  hold(61, 60s);
  EXPECT_EQ(slots, 4U);
}

TEST_F(SlotAdaptationTest, OnePeakClosesNothing) {
  hold(50, 10s);
  hold(95, 2s);
  hold(50, 10s);
  EXPECT_EQ(moves, 0);
}

TEST_F(SlotAdaptationTest, WhatCannotBeMeasuredMovesNothing) {
  EXPECT_FALSE(rule.measure(now, {}, 8));
  EXPECT_FALSE(rule.measure(now + 2s, {}, 8));
}

}  // namespace
}  // namespace cidbus
