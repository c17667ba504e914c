// How many tasks a worker runs at once, as its memory allows: fewer under pressure, more again when that is
// over.
//
// Above `high` of its share of memory used, in two measurements running, half of the slots are closed, one at
// the least stays open; below `low` one more is opened at a time, up to the number the worker was given. In
// between nothing moves. What runs in a closed slot is finished. Rejected: to follow the processors as well:
// what programs of users, run for tasks, take of them cannot be told from what others take.
//
// Invariants
//  1. Slots are between 1 and the number given.
//  2. After a move its cool-down passes: that before closing is short, since memory that runs out kills; that
//  before opening is long, so that a task's memory is seen before the next one begins.
//
// Thread rule: pure; one owner. Limits: none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "shared/node/machine.h"

namespace cidbus {

class SlotAdaptation {
 public:
  static constexpr double high = 0.80;
  static constexpr double low = 0.60;
  static constexpr Duration every = std::chrono::seconds(2);
  static constexpr Duration close_cool_down = std::chrono::seconds(4);
  static constexpr Duration open_cool_down = std::chrono::seconds(8);

  struct Move {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    std::string reason;  // one line, for a person
  };

  explicit SlotAdaptation(std::uint32_t slots) : given_(slots), slots_(slots) {}

  // What is to change, if anything. `slots`: as many as are open now, by the word of what has them.
  [[nodiscard]] std::optional<Move> measure(Monotonic now, const Machine& machine, std::uint32_t slots);
  // When the next measurement is due.
  [[nodiscard]] Monotonic next() const { return next_; }

 private:
  [[nodiscard]] std::optional<Move> move(Monotonic now, std::uint32_t to, double used);

  const std::uint32_t given_;
  std::uint32_t slots_;
  Monotonic next_{};
  std::optional<Monotonic> moved_;  // when it moved last
  bool was_high_ = false;           // at the last measurement
};

}  // namespace cidbus
