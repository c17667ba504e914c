// The numbers that a node moves by itself, so that it stays within what its machine has: tasks at once,
// caches, what is held for others on its way.
//
// Memory: above `high` of its share used. Processors: above `high` of the time something waited for one, and
// the node's own work took a part of them. In two measurements running, each number that burdens what is
// short is halved; with memory below `memory_low` again and nobody made to wait, it goes back a step at a
// time, up to what it was given. In between nothing moves. What a component holds beyond a number that was
// lowered is its own to say: tasks in closed slots are finished, blocks beyond a cache go at once.
//
// Processors that are busy without anybody waiting move nothing: nobody is served by fewer slots then. What
// went back and had to be lowered again waits twice as long the next time. Rejected: the share of processors
// used, by which a worker alone on its machine would leave half of it idle; numbers of time. Ends of attempts
// gathered for 2 or 4 ms instead of 1 gave as many tasks a second under pressure, within the noise, since
// batches grow by themselves there; and what a node measures and tells once a second takes 0.03 % of a
// processor, and is what tells of the pressure.
//
// Invariants
//  1. A number is between its least and what it was given.
//  2. After a move its cool-down passes: that before lowering is short, since memory that runs out kills;
//     that before going back is long, so that what it takes is seen before the next step.
//
// Thread rule: pure; one owner. Limits: longest_return; limits::settings_moved numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shared/node/machine.h"

namespace cidbus {

struct AdaptedNumber {
  std::string_view what;    // for people: slots, cache
  std::uint64_t given = 0;  // where it is while there is room
  std::uint64_t least = 0;  // where pressure stops; at most `given`
  bool takes_memory = true;
  bool takes_processors = false;
  bool returns_by_one = false;  // else it doubles
};

class Adaptation {
 public:
  static constexpr double high = 0.80;
  static constexpr double memory_low = 0.60;
  static constexpr double stalled_low = 0.20;
  static constexpr double own_cores_least = 0.5;  // below it, less would help nobody
  static constexpr Duration every = std::chrono::seconds(2);
  static constexpr Duration lower_cool_down = std::chrono::seconds(4);
  static constexpr Duration return_cool_down = std::chrono::seconds(8);
  static constexpr Duration longest_return = std::chrono::minutes(4);

  struct Move {
    std::size_t number = 0;  // its place among those given
    std::uint64_t to = 0;
    std::string reason;  // one line, for a person
  };

  explicit Adaptation(const std::vector<AdaptedNumber>& numbers);

  // What is to change. `values`: what each number is now, by the word of what lives by it. REQUIRES: one for
  // each.
  [[nodiscard]] std::vector<Move> measure(Monotonic now, const Machine& machine,
                                          const std::vector<std::uint64_t>& values);
  // When the next measurement is due.
  [[nodiscard]] Monotonic next() const { return next_; }

 private:
  struct Pressure {
    std::optional<double> memory;   // used, of the share
    std::optional<double> stalled;  // of the time since the last measurement
    double own_cores = 0;           // that the node's own work took in it
    bool memory_stays = false;      // high, as at the measurement before
    bool processors_stay = false;
    [[nodiscard]] bool on_memory() const { return memory.value_or(0) >= high; }
    [[nodiscard]] bool on_processors() const {
      return stalled.value_or(0) >= high && own_cores >= own_cores_least;
    }
    [[nodiscard]] bool is_over(const AdaptedNumber& number) const;
  };
  struct State {
    AdaptedNumber number;
    std::optional<Monotonic> moved = {};  // when it moved last
    Duration return_after = return_cool_down;
    bool returned_last = false;  // the last move was that way
  };
  [[nodiscard]] Pressure pressure(Monotonic now, const Machine& machine);
  [[nodiscard]] static std::string why_lower(const AdaptedNumber& number, const Pressure& is);

  std::vector<State> states_;  // one a number
  Monotonic next_{};
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
