// Workers that neither idle nor hoard: a leader, workers and the time on the wire, simulated in steps of a
// millisecond. Workers grant credit as generously as after many short tasks.
#include <gtest/gtest.h>

#include <deque>
#include <map>

#include "broker/tasks/task_service.h"

namespace cidbus {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t wire = 1;  // milliseconds each way
constexpr std::uint32_t generous = 1000;
constexpr std::int64_t long_after = 250;

struct SimWorker {
  Peer peer;
  std::uint32_t slots = 2;
  std::uint32_t credit = 0;  // granted and not used
  struct Held {
    AttemptId attempt;
    std::int64_t runs = 0;  // milliseconds
    std::int64_t arrives = 0;
    std::int64_t ends = 0;  // 0: it has not begun
    bool is_long = false;   // it has run for long_after, and that was told
  };
  std::deque<Held> held;
  std::size_t most_held = 0;
  std::int64_t idle = 0;  // slot-milliseconds
  std::size_t done = 0;
};

class WorkAhead : public testing::Test, public Output {
 protected:
  void start(std::size_t workers) {
    write(RecordType::Open, OpenRecord{Epoch{1}, "b1", "b1:9096"});
    service.take_office(now, Epoch{1}, state);
    for (std::size_t place = 0; place < workers; ++place) {
      sim.push_back({.peer = Peer{static_cast<std::uint32_t>(10 + place)}, .held = {}});
      Hello hello;
      hello.role = Role::Worker;
      hello.load.slots = sim.back().slots;
      hello.task_types = {"short", "long"};
      service.on_hello(now, sim.back().peer, "w" + std::to_string(place + 1), Role::Worker, hello);
    }
    commit();
  }
  void submit(std::string_view type, std::size_t count) {
    SessionId session;
    session.bytes[0] = 7;
    for (; count > 0; --count) {
      service.on_message(now, Peer{3}, Submit{session, seq, {{seq, type, {}, {}}}});
      ++seq;
      commit();
    }
  }

  // ---- Output
  LogIndex propose(RecordType type, ByteView payload, Urgency) override {
    open.emplace_back(type, to_bytes(payload));
    return LogIndex{state.applied().value + open.size()};
  }
  void send(Peer peer, const Message& message) override {
    const auto* dispatch = std::get_if<Dispatch>(&message);
    for (SimWorker& worker : sim) {
      if (dispatch == nullptr || worker.peer != peer) continue;
      for (const DispatchItem& item : dispatch->items) {
        ASSERT_GT(worker.credit, 0U);
        --worker.credit;
        worker.held.push_back({item.attempt, runs.at(std::string(item.type)), clock + wire, 0});
      }
      worker.most_held = std::max(worker.most_held, worker.held.size());
    }
  }
  void event(const TaskEvent&) override {}

  template <typename Record>
  void write(RecordType type, const Record& record) {
    Bytes payload;
    encode(record, payload);
    Changes changes;
    state.apply(LogIndex{state.applied().value + 1}, now.wall, type, payload, changes);
  }
  void commit() {
    while (!open.empty()) {
      Changes changes;
      const auto [type, payload] = open.front();
      open.pop_front();
      state.apply(LogIndex{state.applied().value + 1}, now.wall, type, payload, changes);
      service.on_applied(now, changes);
    }
  }

  void step(SimWorker& worker) {
    std::uint32_t busy = 0;
    for (SimWorker::Held& held : worker.held) {
      if (held.ends != 0 && held.ends <= clock) continue;  // its word is on the wire
      if (busy == worker.slots || held.arrives > clock) break;
      if (held.ends == 0) held.ends = clock + held.runs;
      ++busy;
    }
    worker.idle += worker.slots - busy;
    Complete complete;
    std::erase_if(worker.held, [&](const SimWorker::Held& held) {
      if (held.ends == 0 || held.ends + wire > clock) return false;
      complete.items.push_back({held.attempt, Outcome::Completed, {}, {}, milliseconds(held.runs), {}});
      return true;
    });
    worker.done += complete.items.size();
    if (!complete.items.empty()) service.on_message(now, worker.peer, complete);
    if (worker.credit < generous) {
      service.on_message(now, worker.peer, Credit{generous - worker.credit});
      worker.credit = generous;
    }
  }
  // As worker/core does: what waits when all slots have turned out long goes back.
  void give_back(SimWorker& worker) {
    std::uint32_t slots_long = 0;
    bool is_news = false;
    for (SimWorker::Held& held : worker.held) {
      if (held.ends == 0 || clock < held.ends - held.runs + long_after) continue;
      ++slots_long;
      if (held.is_long) continue;
      held.is_long = is_news = true;
      service.on_message(now, worker.peer, Progress{held.attempt, 0, {}});
    }
    if (!is_news || slots_long < worker.slots) return;
    Complete complete;
    std::erase_if(worker.held, [&](const SimWorker::Held& held) {
      if (held.ends == 0) complete.items.push_back({held.attempt, Outcome::Cancelled, {}, {}, {}, {}});
      return held.ends == 0;
    });
    if (!complete.items.empty()) service.on_message(now, worker.peer, complete);
  }
  void join(std::string_view name, Peer peer) {
    sim.push_back({.peer = peer, .held = {}});
    Hello hello;
    hello.role = Role::Worker;
    hello.load.slots = 2;
    hello.task_types = {"short", "long"};
    service.on_hello(now, peer, name, Role::Worker, hello);
  }
  void run(std::int64_t time) {
    for (const std::int64_t until = clock + time; clock < until; ++clock) {
      now.monotonic += milliseconds(1);
      now.wall.milliseconds += 1;
      for (SimWorker& worker : sim) step(worker);
      for (SimWorker& worker : sim) give_back(worker);
      service.tick(now);
      service.end_turn(now);
      commit();
      service.check_invariants();
      service.end_turn(now);
    }
  }

  std::int64_t clock = 1000;
  Now now{Monotonic{} + std::chrono::hours(1), WallTime{1'700'000'000'000}};
  StateMachine state;
  Registry registry;
  TaskMetrics metrics{registry};
  TaskService service{*this, metrics, ServiceLimits{}, Prng(1)};
  std::deque<std::pair<RecordType, Bytes>> open;
  std::map<std::string, std::int64_t> runs{{"short", 1}, {"long", 2000}};
  std::vector<SimWorker> sim;
  std::uint64_t seq = 1;
};

TEST_F(WorkAhead, LongTasksAreNotHoardedByWhoGrantedMuchCredit) {
  start(1);
  submit("long", 1);
  run(2100);  // it is known how long one takes
  submit("long", 20);
  run(10);
  EXPECT_EQ(sim[0].held.size(), 2U) << "one a slot";
  join("late", Peer{20});
  run(10);
  EXPECT_EQ(sim[1].held.size(), 2U) << "the rest was left for who comes";
}

TEST_F(WorkAhead, SlotsDoNotIdleThoughLongTasksComeOneByOne) {
  start(2);
  submit("long", 60);
  run(20'000);
  for (const SimWorker& worker : sim) {
    EXPECT_LE(worker.most_held, 8U) << "four a slot while nothing is known";
    EXPECT_LT(worker.idle, 2 * 20'000 / 100) << "slot-milliseconds of 40,000: under one in a hundred";
  }
}

// Without, the first worker would run all hundred by itself, in 50 s, while the other idles.
TEST_F(WorkAhead, WhatWasSentAheadBeforeItsTypeTurnedSlowGoesToWhoIsIdle) {
  start(1);
  submit("short", 400);
  run(500);
  ASSERT_EQ(sim[0].done, 400U) << "a millisecond each, as is known by now";
  runs["short"] = 1000;
  submit("short", 100);
  run(10);
  ASSERT_EQ(sim[0].held.size(), 100U);
  join("idle", Peer{20});
  run(26'000);
  EXPECT_EQ(sim[0].done + sim[1].done, 500U) << "100 s of work, on four slots";
  EXPECT_GE(sim[1].done, 48U);
}

TEST_F(WorkAhead, ShortTasksFlowAsCreditAllows) {
  start(1);
  submit("short", 4000);
  run(2100);
  EXPECT_GT(sim[0].most_held, 200U);
  EXPECT_GT(sim[0].done, 3800U) << "two a millisecond, all the time";
}

TEST_F(WorkAhead, WhoClosesSlotsIsSentLess) {
  start(1);
  submit("long", 1);
  run(2100);
  service.set_slots("w1", 1);
  submit("long", 20);
  run(10);
  EXPECT_EQ(sim[0].held.size(), 1U);
  service.set_slots("w1", 2);
  run(10);
  EXPECT_EQ(sim[0].held.size(), 2U);
}

TEST(RunTimes, FollowWhatIsSeen) {
  RunTimes times;
  EXPECT_EQ(times.of(3), RunTimes::ahead / 4) << "nothing is known";
  times.goes_on(3);
  EXPECT_EQ(times.of(3), RunTimes::ahead);
  times.ended(4, milliseconds(80));
  EXPECT_EQ(times.of(4), milliseconds(80));
  times.goes_on(4);
  EXPECT_EQ(times.of(4), milliseconds(80)) << "that one runs longer says nothing of the others";
  for (int count = 0; count < 100; ++count) times.ended(4, milliseconds(8));
  EXPECT_LT(times.of(4), milliseconds(9));
  times.ended(5, std::chrono::hours(9));
  EXPECT_EQ(times.of(5), RunTimes::longest);
  times.ended(6, RunTimes::Time(0));
  EXPECT_EQ(times.of(6), RunTimes::Time(1));
}

}  // namespace
}  // namespace cidbus
