// What is due at a time: tasks whose delay ends, tasks whose deadline comes. Setting and clearing one costs
// the same whether ten wait or ten million.
//
// A hierarchical wheel: eight levels of 64 slots, each slot of a level as long as the level below; an entry
// stands at the level of the highest six-bit group in which its time differs from now (Varghese and Lauck,
// "Hashed and hierarchical timing wheels", 1987; levels chosen as in Ahern's timeout.c). Whole slots move by
// relinking; their entries are then looked at a bounded number a call.
//
// Invariants
//  1. An entry is given out once, at its time or later, unless it was cleared.
//  2. next() is never later than the earliest entry's time.
//
// Thread rule: one owner. Limits: times below 2^48 ms; later ones are due then.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "broker/tasks/handle_table.h"
#include "broker/tasks/slots.h"

namespace cidbus {

class TimerWheel {
 public:
  enum class Kind : std::uint8_t { NotBefore, Deadline };
  struct Due {
    TaskHandle task = 0;
    Kind kind = Kind::NotBefore;
  };

  // Begins at this time; milliseconds on any scale that does not go back.
  explicit TimerWheel(std::int64_t now = 0);

  // REQUIRES: no timer of this task and kind is set.
  void set(TaskHandle task, Kind kind, std::int64_t when);
  // Does nothing when it is not set.
  void clear(TaskHandle task, Kind kind);
  [[nodiscard]] bool is_set(TaskHandle task, Kind kind) const { return find(task, kind) != 0; }

  // Appends what is due, looking at no more than `most` entries; the rest comes with later calls.
  void advance(std::int64_t now, std::size_t most, std::vector<Due>& due);
  // When to call advance() again; INT64_MAX when nothing is set.
  [[nodiscard]] std::int64_t next() const;
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::size_t memory_used() const { return entries_.memory_used() + by_task_.memory_used(); }

 private:
  static constexpr unsigned levels = 8;
  static constexpr unsigned slot_bits = 6;
  static constexpr std::size_t slots = std::size_t{1} << slot_bits;
  static constexpr std::size_t moved = levels * slots;  // the list of entries taken out of passed slots
  struct Entry {
    std::int64_t when = 0;
    TaskHandle task = 0;
    Handle previous = 0;
    Handle next = 0;
    std::uint16_t list = 0;
    Kind kind = Kind::NotBefore;
  };

  [[nodiscard]] Handle find(TaskHandle task, Kind kind) const;
  static std::uint64_t hash(TaskHandle task, Kind kind);
  [[nodiscard]] std::size_t list_for(std::int64_t when) const;
  void link(Handle entry, std::size_t list);
  void unlink(Handle entry);
  void move_slot(unsigned level, std::size_t slot);
  void erase(Handle entry);

  std::int64_t now_;
  Slab<Entry> entries_;
  HandleTable by_task_{6};
  std::array<Handle, levels * slots + 1> first_{};
  std::array<std::uint64_t, levels> filled_{};  // slots with entries
};

}  // namespace cidbus
