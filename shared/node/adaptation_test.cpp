#include "shared/node/adaptation.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

using namespace std::chrono_literals;

constexpr AdaptedNumber eight_slots{"slots", 8, 1, true, true, true};

// A worker of eight slots, measured whenever that is due.
class SlotAdaptation : public testing::Test {
 protected:
  void hold(int percent_used, Duration time) {
    for (const Monotonic until = now + time; now < until; now = rule.next()) {
      Machine machine;
      machine.memory_bytes = 100'000;
      machine.memory_available_bytes = 1000ULL * static_cast<std::uint64_t>(100 - percent_used);
      measure(machine);
    }
  }
  void measure(const Machine& machine) {
    for (const Adaptation::Move& move : rule.measure(now, machine, {slots})) {
      EXPECT_EQ(move.number, 0U);
      slots = move.to;
      reason = move.reason;
      ++moves;
    }
  }

  Monotonic now{};
  std::uint64_t slots = 8;
  Adaptation rule{{eight_slots}};
  std::string reason;
  int moves = 0;
};

TEST_F(SlotAdaptation, PressureClosesHalfAtATimeAndLeavesOne) {
  hold(85, 4s);
  EXPECT_EQ(slots, 4U);
  EXPECT_EQ(reason, "85 % of the memory is used");
  hold(85, 60s);
  EXPECT_EQ(slots, 1U);
  EXPECT_EQ(moves, 3);
}

TEST_F(SlotAdaptation, WhenItIsOverTheyOpenOneByOneUpToTheNumberGiven) {
  hold(85, 60s);
  hold(50, 16s);
  EXPECT_EQ(slots, 3U);
  hold(50, 10min);
  EXPECT_EQ(slots, 8U);
}

TEST_F(SlotAdaptation, InBetweenNothingMoves) {
  hold(79, 60s);
  EXPECT_EQ(slots, 8U);
  hold(85, 4s);
  hold(61, 60s);
  EXPECT_EQ(slots, 4U);
}

TEST_F(SlotAdaptation, OnePeakClosesNothing) {
  hold(50, 10s);
  hold(95, 2s);
  hold(50, 10s);
  EXPECT_EQ(moves, 0);
}

// The same, on processors of which its own work takes a part; memory is plenty.
class ProcessorPressure : public SlotAdaptation {
 protected:
  void work(int percent_stalled, double own_cores, Duration time) {
    for (const Monotonic until = now + time; now < until; now = rule.next()) {
      stalled += Adaptation::every * percent_stalled / 100;
      own += std::chrono::duration_cast<Duration>(Adaptation::every * own_cores);
      Machine machine;
      machine.memory_bytes = machine.memory_available_bytes = 1000;
      machine.cpu_stalled = stalled;
      machine.own_cpu_used = own;
      measure(machine);
    }
  }
  Duration stalled = 1h;
  Duration own = 1h;
};

TEST_F(ProcessorPressure, ClosesSlotsWhileOthersWaitForWhatItsTasksTake) {
  work(95, 1.5, 6s);
  EXPECT_EQ(slots, 4U);
  EXPECT_EQ(reason, "processors are waited for in 95 % of the time, and its tasks take 1.5 of them");
  work(95, 1.5, 60s);
  EXPECT_EQ(slots, 1U);
}

TEST_F(ProcessorPressure, OfOthersAloneClosesNothing) {
  work(100, 0.3, 60s);
  EXPECT_EQ(moves, 0);
}

TEST_F(ProcessorPressure, OfOthersAloneKeepsNoSlotClosed) {
  work(95, 1.5, 60s);
  ASSERT_EQ(slots, 1U);
  work(100, 0.1, 10min);
  EXPECT_EQ(slots, 8U) << "its own work is over: fewer slots would help nobody";
}

TEST_F(ProcessorPressure, SlotsThatKeepProcessorsBusyWithoutWaitingStayOpen) {
  work(10, 2, 60s);
  EXPECT_EQ(moves, 0);
}

TEST_F(ProcessorPressure, WithSlackTheyOpenAgainAndTooSoonOnlyOnce) {
  work(95, 1.5, 60s);
  ASSERT_EQ(slots, 1U);
  work(5, 1, 40s);
  EXPECT_EQ(slots, 6U);
  work(95, 1.5, 60s);
  ASSERT_EQ(slots, 1U);
  work(5, 1, 40s);
  EXPECT_EQ(slots, 4U) << "half as fast";
  work(5, 1, 30min);
  EXPECT_EQ(slots, 8U);
}

TEST_F(SlotAdaptation, WhatCannotBeMeasuredMovesNothing) {
  EXPECT_TRUE(rule.measure(now, {}, {8}).empty());
  EXPECT_TRUE(rule.measure(now + 2s, {}, {8}).empty());
}

// A worker of four slots and two memories.
class Numbers : public testing::Test {
 protected:
  void hold(int percent_used, int percent_stalled, Duration time) {
    for (const Monotonic until = now + time; now < until; now = rule.next()) {
      stalled += Adaptation::every * percent_stalled / 100;
      own += Adaptation::every;
      Machine machine;
      machine.memory_bytes = 100'000;
      machine.memory_available_bytes = 1000ULL * static_cast<std::uint64_t>(100 - percent_used);
      machine.cpu_stalled = stalled;
      machine.own_cpu_used = own;
      for (const Adaptation::Move& move : rule.measure(now, machine, values)) values[move.number] = move.to;
    }
  }
  using Values = std::vector<std::uint64_t>;
  Monotonic now{};
  Duration stalled = 1h;
  Duration own = 1h;
  Values values{4, 256, 80};
  Adaptation rule{{{"slots", 4, 1, true, true, true}, {"cache", 256, 32}, {"window", 80, 50}}};
};

TEST_F(Numbers, PressureOnMemoryLowersEachToItsLeast) {
  hold(85, 0, 4s);
  EXPECT_EQ(values, (Values{2, 128, 50}));
  hold(85, 0, 60s);
  EXPECT_EQ(values, (Values{1, 32, 50}));
}

TEST_F(Numbers, WithRoomTheyReturnToWhatTheyWereGiven) {
  hold(85, 0, 60s);
  hold(50, 0, 2s);
  EXPECT_EQ(values, (Values{2, 64, 80}));
  hold(50, 0, 60s);
  EXPECT_EQ(values, (Values{4, 256, 80}));
}

TEST_F(Numbers, PressureOnProcessorsLowersWhatTakesThemAlone) {
  hold(50, 95, 60s);
  EXPECT_EQ(values, (Values{1, 256, 80}));
}

TEST_F(Numbers, MemoryThatIsFreeReturnsThoughProcessorsAreShort) {
  hold(85, 95, 60s);
  hold(50, 95, 60s);
  EXPECT_EQ(values, (Values{1, 256, 80}));
}

}  // namespace
}  // namespace cidbus
