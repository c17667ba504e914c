// How many tasks a worker runs at once, as memory and processors allow: fewer under pressure, more again when
// that is over.
//
// Memory: above `high` of its share used. Processors: above `high` of the time something waited for one, and
// the worker's own work took a part of them. In two measurements running, half of the slots are closed, one
// at the least stays open; with memory below `low` again and nobody made to wait, one more is opened at a
// time, up to the number the worker was given. In between nothing moves. What runs in a closed slot is
// finished.
//
// Slots that keep their processors busy without waiting stay open: nobody is served by fewer. Slots that
// were opened and had to be closed for the processors' sake again wait twice as long the next time. Rejected:
// the share of processors used, by which a worker alone on its machine would leave half of it idle.
//
// Invariants
//  1. Slots are between 1 and the number given.
//  2. After a move its cool-down passes: that before closing is short, since memory that runs out kills; that
//  before opening is long, so that what a task takes is seen before the next one begins.
//
// Thread rule: pure; one owner. Limits: longest_open_cool_down.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "shared/node/machine.h"

namespace cidbus {

class SlotAdaptation {
 public:
  static constexpr double high = 0.80;
  static constexpr double memory_low = 0.60;
  static constexpr double stalled_low = 0.20;
  static constexpr double own_cores_least = 0.5;  // below it, fewer slots would help nobody
  static constexpr Duration every = std::chrono::seconds(2);
  static constexpr Duration close_cool_down = std::chrono::seconds(4);
  static constexpr Duration open_cool_down = std::chrono::seconds(8);
  static constexpr Duration longest_open_cool_down = std::chrono::minutes(4);

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
  struct Pressure {
    std::optional<double> memory;   // used, of the share
    std::optional<double> stalled;  // of the time since the last measurement
    double own_cores = 0;           // that the worker's work took in it
    [[nodiscard]] bool on_memory() const { return memory.value_or(0) >= high; }
    [[nodiscard]] bool on_processors() const {
      return stalled.value_or(0) >= high && own_cores >= own_cores_least;
    }
    [[nodiscard]] bool is_over() const {
      const bool waited_for = stalled.value_or(0) >= stalled_low && own_cores >= own_cores_least;
      return memory.value_or(0) < memory_low && !waited_for;
    }
  };
  [[nodiscard]] Pressure pressure(Monotonic now, const Machine& machine);
  [[nodiscard]] Move move(Monotonic now, std::uint32_t to, std::string reason);

  const std::uint32_t given_;
  std::uint32_t slots_;
  Monotonic next_{};
  std::optional<Monotonic> moved_;  // when it moved last
  Duration open_cool_down_ = open_cool_down;
  bool opened_last_ = false;      // the last move was that way
  bool memory_was_high_ = false;  // at the last measurement
  bool processors_were_busy_ = false;
  struct Seen {
    Monotonic at;
    std::optional<Duration> stalled;
    Duration own{};
  };
  std::optional<Seen> seen_;  // by the last measurement
};

}  // namespace cidbus
