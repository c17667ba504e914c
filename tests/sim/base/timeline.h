// Virtual time: what happens when, in one thread, in an order that only the seed decides.
//
// Invariants: 1. events run in the order of (time, sequence). 2. now() never decreases. 3. Nothing reads a
// real clock.
//
// Thread rule: one thread. Limits: the memory of the events that wait.
#pragma once

#include <cstdint>
#include <functional>
#include <queue>
#include <vector>

#include "shared/base/time.h"

namespace cidbus::sim {

class Timeline {
 public:
  using Event = std::function<void()>;

  [[nodiscard]] Now now() const { return now_; }
  void at(Monotonic when, Event event);
  void after(Duration delay, Event event) { at(now_.monotonic + delay, std::move(event)); }
  // Runs the next event; false when none waits.
  bool step();
  [[nodiscard]] std::uint64_t steps() const { return steps_; }

  // Folds a value into the trace: two runs of one seed must end with the same one.
  void trace(std::uint64_t value);
  [[nodiscard]] std::uint64_t trace() const { return trace_; }

 private:
  struct Entry {
    Monotonic when;
    std::uint64_t sequence;
    Event event;
    bool operator>(const Entry& other) const {
      return when != other.when ? when > other.when : sequence > other.sequence;
    }
  };
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> waiting_;
  std::uint64_t sequence_ = 0;
  std::uint64_t steps_ = 0;
  std::uint64_t trace_ = 0;
  Now now_{Monotonic(std::chrono::hours(1)), WallTime{1'700'000'000'000}};
};

}  // namespace cidbus::sim
