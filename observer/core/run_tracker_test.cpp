#include "observer/core/run_tracker.h"

#include <gtest/gtest.h>

#include "shared/base/limits/web_page.h"

namespace cidbus {
namespace {

constexpr WallTime start{1'700'000'000'000};
constexpr std::chrono::milliseconds second(1000);

TaskEvent event(std::uint64_t task, TaskState state, std::uint32_t attempts = 1) {
  return {TaskId{task}, "echo", state, "w1", attempts};
}

TEST(RunTracker, KnowsWhenARunBeganAndEnded) {
  RunTracker runs;
  EXPECT_FALSE(runs.on_event(start, event(1, TaskState::Pending, 0)));
  EXPECT_FALSE(runs.on_event(start, event(1, TaskState::Assigned)));
  EXPECT_FALSE(runs.on_event(start, event(1, TaskState::Processing)));
  EXPECT_TRUE(runs.running().at(TaskId{1}).sure);
  const auto ended = runs.on_event(start + second, event(1, TaskState::Completed));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->began, start);
  EXPECT_EQ(ended->ended, start + second);
  EXPECT_EQ(ended->state, TaskState::Completed);
  EXPECT_TRUE(runs.running().empty());
}

TEST(RunTracker, MakesNoBeginningUp) {
  RunTracker runs;
  const auto short_one = runs.on_event(start, event(1, TaskState::Completed));
  ASSERT_TRUE(short_one);
  EXPECT_FALSE(short_one->began);
  runs.on_event(start, event(2, TaskState::Processing, 1));
  const auto of_another_attempt = runs.on_event(start + second, event(2, TaskState::Failed, 2));
  ASSERT_TRUE(of_another_attempt);
  EXPECT_FALSE(of_another_attempt->began);
}

TEST(RunTracker, ARunThatIsHandedOutAgainHasEnded) {
  RunTracker runs;
  runs.on_event(start, event(1, TaskState::Processing));
  const auto ended = runs.on_event(start + second, event(1, TaskState::Pending));
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->state, TaskState::Pending);
  EXPECT_TRUE(runs.running().empty());
}

TEST(RunTracker, AfterALossWhatBeganBeforeIsNotSure) {
  RunTracker runs;
  runs.on_event(start, event(1, TaskState::Processing));
  runs.on_loss();
  runs.on_event(start, event(2, TaskState::Processing));
  EXPECT_FALSE(runs.running().at(TaskId{1}).sure);
  EXPECT_TRUE(runs.running().at(TaskId{2}).sure);
  EXPECT_EQ(runs.on_event(start + second, event(1, TaskState::Completed))->began, start);
}

TEST(RunTracker, ForgetsTheTaskSubmittedFirstAtItsBound) {
  RunTracker runs;
  for (std::uint64_t task = 1; task <= limits::watched_runs + 1; ++task)
    runs.on_event(start, event(task, TaskState::Processing));
  EXPECT_EQ(runs.running().size(), limits::watched_runs);
  EXPECT_FALSE(runs.running().contains(TaskId{1}));
}

}  // namespace
}  // namespace cidbus
