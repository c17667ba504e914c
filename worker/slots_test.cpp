#include "worker/slots.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>

namespace cidbus {
namespace {

using namespace std::chrono_literals;

// Runs "wait" until it is cancelled and anything else at once.
class TestRunner : public JobRunner {
 public:
  explicit TestRunner(std::atomic<int>& running, std::atomic<int>& most) : running_(running), most_(most) {}
  JobEnd run(Job& job) override {
    const int now_running = ++running_;
    int seen = most_;
    while (now_running > seen && !most_.compare_exchange_weak(seen, now_running)) {
    }
    JobEnd end{Outcome::Completed, job.work, {}};
    if (job.type == "throw") {
      --running_;
      throw std::bad_alloc();
    }
    if (job.type == "wait" && job.cancelled.wait_for(1h)) end.outcome = Outcome::Cancelled;
    --running_;
    return end;
  }

 private:
  std::atomic<int>& running_;
  std::atomic<int>& most_;
};

class SlotsTest : public ::testing::Test {
 protected:
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  std::vector<AttemptId> began;
  std::vector<AttemptEnd> ended;

  std::function<std::unique_ptr<JobRunner>()> factory() {
    return [this] { return std::make_unique<TestRunner>(running, most); };
  }
  static AttemptId attempt(std::uint64_t task) { return {TaskId{task}, 0, 1, Epoch{1}}; }
  static void start(Slots& slots, std::uint64_t task, std::string_view type) {
    const Bytes work{7};
    slots.start({attempt(task), type, 0ms, work});
    slots.launch();
  }
  // As a worker does: by the descriptor, or by itself when it launched or was told that more comes soon.
  template <typename Condition>
  void collect_until(Slots& slots, Condition condition) {
    bool more_soon = true;
    while (!condition()) {
      pollfd waiting{slots.descriptor(), POLLIN, 0};
      const int wait = more_soon ? static_cast<int>(Slots::gather_time / 1ms) : 10'000;
      ASSERT_TRUE(poll(&waiting, 1, wait) == 1 || more_soon) << "nothing happened for ten seconds";
      auto& events = slots.take_events();
      more_soon = events.more_soon;
      began.insert(began.end(), events.began.begin(), events.began.end());
      for (auto& end : events.ended) ended.push_back(std::move(end));
    }
  }
};

TEST_F(SlotsTest, RunEachAttemptOnceAndAtMostSoManyAtATime) {
  Slots slots(3, factory());
  for (std::uint64_t task = 1; task <= 500; ++task) start(slots, task, "quick");
  collect_until(slots, [&] { return ended.size() == 500; });
  EXPECT_EQ(began.size(), 500u);
  EXPECT_LE(most, 3);
  EXPECT_EQ(ended[0].result, Bytes{7});
}

TEST_F(SlotsTest, WithdrawWhatIsNotLaunchedYet) {
  Slots slots(1, factory());
  const Bytes work{7};
  slots.start({attempt(1), "quick", 0ms, work});
  EXPECT_TRUE(slots.withdraw(attempt(1)));
  start(slots, 2, "quick");
  collect_until(slots, [&] { return ended.size() == 1; });
  EXPECT_EQ(ended[0].attempt, attempt(2));
}

// Gathering must not hide that a long one has begun behind many short ones.
TEST_F(SlotsTest, TellOfALongOneBehindManyShortOnesByTheDescriptorOrByAskingAgain) {
  Slots slots(1, factory());
  for (std::uint64_t task = 1; task <= 100; ++task) start(slots, task, "quick");
  start(slots, 101, "wait");
  start(slots, 102, "quick");
  collect_until(slots, [&] { return began.size() == 101; });
  EXPECT_EQ(began.back(), attempt(101));
  slots.cancel(attempt(101));
}

// The slots' threads may be slow to come; whoever launched must not give up asking before they are there.
TEST_F(SlotsTest, TellOfOneThatBeginsAloneAndGoesOn) {
  Slots slots(2, factory());
  for (std::uint64_t task = 1; task <= 20; ++task) {
    start(slots, task, "wait");
    collect_until(slots, [&] { return began.size() == task; });
    slots.cancel(attempt(task));
    collect_until(slots, [&] { return ended.size() == task; });
  }
}

TEST_F(SlotsTest, WakeNobodyForABeginning) {
  Slots slots(1, factory());
  start(slots, 1, "wait");
  collect_until(slots, [&] { return began.size() == 1; });
  pollfd waiting{slots.descriptor(), POLLIN, 0};
  EXPECT_EQ(poll(&waiting, 1, 0), 0);
  slots.cancel(attempt(1));
  EXPECT_EQ(poll(&waiting, 1, 10'000), 1);
}

TEST_F(SlotsTest, WithdrawWhatHasNotBegunAndCancelWhatHas) {
  Slots slots(1, factory());
  start(slots, 1, "wait");
  collect_until(slots, [&] { return began.size() == 1; });
  start(slots, 2, "quick");
  EXPECT_FALSE(slots.withdraw(attempt(1)));
  EXPECT_TRUE(slots.withdraw(attempt(2)));
  EXPECT_FALSE(slots.withdraw(attempt(2)));
  slots.cancel(attempt(1));
  collect_until(slots, [&] { return ended.size() == 1; });
  EXPECT_EQ(ended[0].outcome, Outcome::Cancelled);
  EXPECT_EQ(began.size(), 1u) << "the withdrawn one never began";
}

TEST_F(SlotsTest, AnAttemptThatThrowsCostsItselfOnly) {
  Slots slots(1, factory());
  start(slots, 1, "throw");
  start(slots, 2, "quick");
  collect_until(slots, [&] { return ended.size() == 2; });
  EXPECT_EQ(ended[0].outcome, Outcome::Retry);
  EXPECT_EQ(ended[1].outcome, Outcome::Completed);
}

TEST_F(SlotsTest, EndCancelsWhatRunsAndLeavesWhatWaits) {
  {
    Slots slots(2, factory());
    for (std::uint64_t task = 1; task <= 10; ++task) start(slots, task, "wait");
    collect_until(slots, [&] { return began.size() == 2; });
  }
  EXPECT_EQ(running, 0);
}

TEST_F(SlotsTest, InClosedSlotsNothingBeginsAndWhatRunsThereIsFinished) {
  Slots slots(3, factory());
  for (std::uint64_t task = 1; task <= 3; ++task) start(slots, task, "wait");
  collect_until(slots, [&] { return began.size() == 3; });
  slots.set_open(1);
  EXPECT_EQ(slots.open(), 1U);
  for (std::uint64_t task = 4; task <= 6; ++task) start(slots, task, "wait");
  slots.cancel(attempt(1));
  slots.cancel(attempt(2));
  pollfd told{slots.descriptor(), POLLIN, 0};
  EXPECT_EQ(poll(&told, 1, 60'000), 1) << "they wait for no other end to be told";
  collect_until(slots, [&] { return ended.size() == 2; });
  EXPECT_EQ(began.size(), 3U) << "one still runs in the one that is open";
  slots.cancel(attempt(3));
  collect_until(slots, [&] { return began.size() == 4; });
  EXPECT_LE(running, 1);  // the fourth is about to
  slots.set_open(3);
  slots.launch();
  collect_until(slots, [&] { return began.size() == 6; });
}

}  // namespace
}  // namespace cidbus
