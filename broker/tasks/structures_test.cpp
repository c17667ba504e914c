// Slab, table, arena, roll, wheel, backlog and ring: each against the plain container it stands for.
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <set>
#include <string>

#include "broker/tasks/arena.h"
#include "broker/tasks/backlog.h"
#include "broker/tasks/fifo.h"
#include "broker/tasks/handle_table.h"
#include "broker/tasks/names.h"
#include "broker/tasks/roll.h"
#include "broker/tasks/timer_wheel.h"
#include "shared/base/prng.h"

namespace cidbus {
namespace {

struct Slot {
  std::uint64_t value = 7;
};

TEST(Slab, GivesEveryLiveSlotItsOwnHandleAndAddressAndADefaultValue) {
  Slab<Slot> slab;
  Prng random(1);
  std::map<Handle, std::uint64_t> live;
  for (int i = 0; i < 200'000; ++i) {
    const bool grow = random.chance((i / 20'000) % 2 == 0 ? 7 : 3, 10);
    if (grow || live.empty()) {
      const Handle handle = slab.take();
      ASSERT_NE(handle, 0u);
      ASSERT_TRUE(live.emplace(handle, random()).second);
      ASSERT_EQ(slab[handle].value, 7u);
      slab[handle].value = live[handle];
    } else {
      auto some = live.lower_bound(static_cast<Handle>(random.below(slab.handle_bound())));
      if (some == live.end()) some = live.begin();
      ASSERT_EQ(slab[some->first].value, some->second);
      slab.give_back(some->first);
      ASSERT_FALSE(slab.is_live(some->first));
      live.erase(some);
    }
    ASSERT_EQ(slab.size(), live.size());
  }
  auto expected = live.begin();
  slab.for_each([&](Handle handle, const Slot& slot) {
    ASSERT_EQ(handle, expected->first);
    ASSERT_EQ(slot.value, expected->second);
    ++expected;
  });
  EXPECT_EQ(expected, live.end());
}

TEST(Slab, GivesMemoryBackWhenItsSlotsAreGone) {
  Slab<Slot> slab;
  std::vector<Handle> handles;
  for (int i = 0; i < 100'000; ++i) handles.push_back(slab.take());
  const std::size_t full = slab.memory_used();
  for (const Handle handle : handles) slab.give_back(handle);
  EXPECT_LT(slab.memory_used(), full / 20);
  EXPECT_EQ(slab.live_from(1), 0u);
}

TEST(SlabDeathTest, StopsAtASlotGivenBackTwice) {
  Slab<Slot> slab;
  const Handle handle = slab.take();
  slab.give_back(handle);
  EXPECT_DEATH(slab.give_back(handle), "is_live");
}

TEST(HandleTable, FindsWhatItHoldsThroughGrowingAndShrinking) {
  HandleTable table(2);
  std::map<Handle, std::uint64_t> keys;
  Prng random(3);
  const auto hash_of = [](std::uint64_t key) {
    return key % 5 == 0 ? hash_run(7) : hash_run(key);
  };  // some collide
  for (int i = 0; i < 100'000; ++i) {
    const bool grow = random.chance((i / 10'000) % 2 == 0 ? 7 : 3, 10);
    if (grow || keys.empty()) {
      const auto handle = static_cast<Handle>(i + 1);
      const std::uint64_t key = random.chance(1, 50) ? random.below(200) * 5 : random();
      keys.emplace(handle, key);
      table.insert(hash_of(key), handle);
    } else {
      auto some = keys.lower_bound(static_cast<Handle>(random.below(static_cast<std::uint64_t>(i))));
      if (some == keys.end()) some = keys.begin();
      table.erase(hash_of(some->second), some->first);
      keys.erase(some);
    }
    if (i % 5000 != 0) continue;
    ASSERT_EQ(table.size(), keys.size());
    for (const auto& [handle, key] : keys) {
      ASSERT_EQ(table.find(hash_of(key), [&](Handle found) { return found == handle; }), handle);
    }
    EXPECT_EQ(table.find(hash_of(12345), [](Handle) { return false; }), 0u);
  }
}

TEST(HandleTable, KeepsItsLoadBetweenAHalfAndFourFifths) {
  HandleTable table(4);
  for (Handle handle = 1; handle <= 200'000; ++handle) table.insert(hash_run(handle), handle);
  EXPECT_LT(table.memory_used(), 200'000 * 8 * 2);
  for (Handle handle = 1; handle <= 199'000; ++handle) table.erase(hash_run(handle), handle);
  EXPECT_LT(table.memory_used(), 60'000u);
}

TEST(Arena, KeepsBytesOfEverySizeUntilTheyAreFreedAndThenItsPages) {
  Arena arena;
  Prng random(5);
  std::vector<std::pair<Handle, std::string>> kept;
  for (int i = 0; i < 60'000; ++i) {
    if (random.chance(11, 20) || kept.empty()) {
      const auto size = random.chance(1, 20) ? random.below(5000) : random.below(1100);
      std::string bytes(size, static_cast<char>(random.below(256)));
      const Handle handle = arena.put(as_bytes(bytes));
      kept.emplace_back(handle, std::move(bytes));
    } else {
      std::swap(kept[random.below(kept.size())], kept.back());
      const auto& [handle, bytes] = kept.back();
      ASSERT_EQ(as_text(arena.get(handle, bytes.size())), bytes);
      arena.free(handle, bytes.size());
      kept.pop_back();
    }
  }
  for (const auto& [handle, bytes] : kept) {
    ASSERT_EQ(as_text(arena.get(handle, bytes.size())), bytes);
    arena.free(handle, bytes.size());
  }
  EXPECT_LT(arena.memory_used(), 2u << 20) << "only the spare pages may be left";
}

TEST(ArenaDeathTest, StopsAtBytesFreedTwice) {
  Arena arena;
  const Handle handle = arena.put(as_bytes("bytes"));
  arena.put(as_bytes("others"));
  arena.free(handle, 5);
  EXPECT_DEATH(arena.free(handle, 5), "handle");
}

TEST(NameTable, NumbersNamesInTheOrderTheyCame) {
  NameTable names;
  EXPECT_EQ(names.find("echo"), 0);
  EXPECT_EQ(names.add("echo"), 1);
  EXPECT_EQ(names.add("hash"), 2);
  EXPECT_EQ(names.find("echo"), 1);
  EXPECT_EQ(names.name(2), "hash");
  EXPECT_EQ(names.name(0), "");
}

TEST(Roll, ListsLikeASortedMapWhateverTheQuery) {
  Slab<TaskSlot> tasks;
  Roll roll(tasks);
  Prng random(9);
  std::map<std::uint64_t, Handle> by_id;
  std::uint64_t id = 0;
  for (int i = 0; i < 30'000; ++i) {
    if (by_id.empty() || random.chance(i < 18'000 ? 6 : 3, 10)) {
      const Handle task = tasks.take();
      tasks[task].id.value = id += random.between(1, 3);
      tasks[task].type = static_cast<TypeNumber>(random.between(1, 3));
      roll.enter(task);
      by_id.emplace(id, task);
    } else {
      auto some = by_id.lower_bound(random.below(id));
      if (some == by_id.end()) some = by_id.begin();
      TaskSlot& slot = tasks[some->second];
      if (random.chance(1, 2)) {
        slot.state = static_cast<TaskState>(random.chance(1, 2) ? 1 : 3);
        roll.set_state(slot, slot.state);
      } else {
        roll.leave(slot);
        tasks.give_back(some->second);
        by_id.erase(some);
      }
    }
    if (i % 1000 != 0) continue;
    roll.check_invariants();
    RollQuery query;
    query.limit = random.between(1, 50);
    if (random.chance(1, 2)) query.before = TaskId{random.below(id + 2)};
    if (random.chance(1, 2)) query.type = static_cast<TypeNumber>(random.between(1, 3));
    if (random.chance(1, 2)) query.state = static_cast<TaskState>(random.chance(1, 2) ? 0 : 3);
    std::vector<Handle> expected;
    for (auto at = by_id.rbegin(); at != by_id.rend() && expected.size() <= query.limit; ++at) {
      const TaskSlot& slot = tasks[at->second];
      if (query.before.value != 0 && slot.id >= query.before) continue;
      if (query.type != 0 && slot.type != query.type) continue;
      if (query.state && slot.state != *query.state) continue;
      expected.push_back(at->second);
    }
    const RollAnswer answer = roll.list(query);
    EXPECT_EQ(answer.more, expected.size() > query.limit);
    if (expected.size() > query.limit) expected.pop_back();
    ASSERT_EQ(answer.tasks, expected);
  }
}

TEST(Roll, DoesNotKeepTheRoomOfAMillionGoneTasksForAFewOldOnes) {
  Slab<TaskSlot> tasks;
  Roll roll(tasks);
  std::vector<Handle> all;
  for (std::uint64_t id = 1; id <= 200'000; ++id) {
    all.push_back(tasks.take());
    tasks[all.back()].id.value = id;
    tasks[all.back()].type = 1;
    roll.enter(all.back());
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i % 1000 != 0) roll.leave(tasks[all[i]]), tasks.give_back(all[i]);
  }
  roll.check_invariants();
  EXPECT_LT(roll.memory_used(), 50'000u);
}

TEST(TimerWheel, GivesEverythingOutOnceAtItsTimeLikeASortedMap) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Prng random(seed);
    std::int64_t now = static_cast<std::int64_t>(random.below(1ULL << 41));
    TimerWheel wheel(now);
    std::map<TaskHandle, std::int64_t> waiting;
    TaskHandle last = 0;
    for (int i = 0; i < 3000; ++i) {
      for (auto count = random.below(4); count > 0; --count) {
        const auto when = now + static_cast<std::int64_t>(random.below(1ULL << random.below(34))) - 2;
        waiting.emplace(++last, when);
        wheel.set(last, TimerWheel::Kind::Deadline, when);
      }
      if (!waiting.empty() && random.chance(1, 5)) {
        auto some = waiting.lower_bound(static_cast<TaskHandle>(random.below(last) + 1));
        if (some == waiting.end()) some = waiting.begin();
        wheel.clear(some->first, TimerWheel::Kind::Deadline);
        waiting.erase(some);
      }
      std::int64_t earliest = INT64_MAX;
      for (const auto& [task, when] : waiting) earliest = std::min(earliest, when);
      ASSERT_LE(wheel.next(), std::max(earliest, now));
      now = random.chance(1, 3) && earliest != INT64_MAX
                ? std::max(now, earliest)
                : now + static_cast<std::int64_t>(random.below(1ULL << random.below(30)));
      std::vector<TimerWheel::Due> due;
      wheel.advance(now, SIZE_MAX, due);
      for (const TimerWheel::Due& entry : due) {
        ASSERT_EQ(waiting.count(entry.task), 1u);
        ASSERT_LE(waiting[entry.task], now);
        waiting.erase(entry.task);
      }
      for (const auto& [task, when] : waiting) ASSERT_GT(when, now) << "seed " << seed;
      ASSERT_EQ(wheel.size(), waiting.size());
    }
  }
}

TEST(TimerWheel, LooksAtABoundedNumberACallAndAsksToBeCalledAgain) {
  TimerWheel wheel(1000);
  for (TaskHandle task = 1; task <= 10'000; ++task) wheel.set(task, TimerWheel::Kind::NotBefore, 5000);
  std::vector<TimerWheel::Due> due;
  std::size_t calls = 0;
  while (wheel.size() > 0) {
    due.clear();
    wheel.advance(5000, 100, due);
    ASSERT_LE(due.size(), 100u);
    ASSERT_LE(wheel.next(), wheel.size() > 0 ? 5000 : INT64_MAX);
    ++calls;
  }
  EXPECT_GE(calls, 100u);
  EXPECT_LT(calls, 400u);
}

TEST(TypeSet, FindsTheNextCommonTypeGoingRound) {
  TypeSet left;
  TypeSet right;
  EXPECT_EQ(left.next_common(right, 0), 0);
  for (const TypeNumber type : std::initializer_list<TypeNumber>{1, 5, 63, 64, 4095}) left.add(type);
  for (const TypeNumber type : std::initializer_list<TypeNumber>{5, 63, 64, 200, 4095}) right.add(type);
  TypeNumber at = 0;
  std::vector<TypeNumber> seen;
  for (int i = 0; i < 6; ++i) seen.push_back(at = left.next_common(right, at));
  EXPECT_EQ(seen, (std::vector<TypeNumber>{5, 63, 64, 4095, 5, 63}));
  EXPECT_EQ(left.next_common(right, 60'000), 5);
}

TEST(Backlog, IsAQueueAPriorityATypeAndALane) {
  Positions positions;
  Backlog backlog(positions);
  Prng random(11);
  TypeSet all;
  for (TypeNumber type = 1; type <= 3; ++type) all.add(type);
  std::map<std::tuple<int, TypeNumber, int>, std::deque<TaskHandle>> plain;  // priority, type, lane
  TaskHandle last = 0;
  for (int i = 0; i < 20'000; ++i) {
    if (random.chance(5, 10)) {
      const auto type = static_cast<TypeNumber>(random.between(1, 3));
      const auto priority = static_cast<std::uint8_t>(random.below(10));
      const auto lane = static_cast<Backlog::Lane>(random.below(2));
      backlog.push(++last, type, priority, lane);
      plain[{priority, type, static_cast<int>(lane)}].push_back(last);
    } else if (random.chance(1, 4)) {
      for (auto& [key, queue] : plain) {
        if (queue.empty()) continue;
        const auto place = static_cast<std::ptrdiff_t>(random.below(queue.size()));
        backlog.remove(queue[static_cast<std::size_t>(place)], std::get<1>(key));
        queue.erase(queue.begin() + place);
        break;
      }
    } else {
      const TaskHandle task = backlog.pop(all);
      int best = -1;
      bool found = false;
      for (auto at = plain.rbegin(); at != plain.rend(); ++at) {
        if (!at->second.empty()) best = std::max(best, std::get<0>(at->first));
      }
      ASSERT_EQ(task == 0, best < 0);
      for (TypeNumber type = 1; type <= 3 && best >= 0; ++type) {
        auto& again = plain[{best, type, 0}];
        auto& queue = again.empty() ? plain[{best, type, 1}] : again;
        if (queue.empty() || queue.front() != task) continue;
        queue.pop_front();
        found = true;
        break;
      }
      ASSERT_TRUE(task == 0 || found);
    }
    if (i % 500 == 0) backlog.check_invariants();
  }
}

TEST(Fifo, IsAQueue) {
  Fifo<int> fifo;
  std::deque<int> plain;
  Prng random(13);
  for (int i = 0; i < 10'000; ++i) {
    if (random.chance(6, 10)) {
      fifo.push(i);
      plain.push_back(i);
    } else if (!plain.empty()) {
      ASSERT_EQ(fifo.front(), plain.front());
      fifo.pop();
      plain.pop_front();
    }
    ASSERT_EQ(fifo.size(), plain.size());
  }
}

}  // namespace
}  // namespace cidbus
