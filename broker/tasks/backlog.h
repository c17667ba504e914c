// The tasks that may be handed out now, by type and priority, and the choice of the next one.
//
// The highest priority goes first. Within it, the types a worker offers take turns, so that a flood of one
// does not starve another; within a type, tasks that were already handed out once go before all others, and
// those in the order of their ids (a delayed one as if it was submitted when its time came). Choosing costs a
// few word operations for every 64 types, whatever waits.
//
// Held tasks wait for a new leader's workers to say what they still run (CONSENSUS W1); they are let go in
// front.
//
// Invariants
//  1. A task stands in at most one queue.
//  2. A type's bit in a priority is set when a task that is not held waits there.
//
// Thread rule: one owner. Limits: none of its own; a task costs its Position.
#pragma once

#include <array>
#include <vector>

#include "broker/tasks/positions.h"
#include "broker/tasks/slots.h"

namespace cidbus {

// A set of type numbers.
class TypeSet {
 public:
  [[nodiscard]] bool has(TypeNumber type) const {
    return type / 64U < words_.size() && ((words_[type / 64U] >> (type % 64U)) & 1) != 0;
  }
  void add(TypeNumber type) {
    if (type / 64U >= words_.size()) words_.resize(type / 64U + 1);
    words_[type / 64U] |= std::uint64_t{1} << (type % 64U);
  }
  void remove(TypeNumber type) { words_[type / 64U] &= ~(std::uint64_t{1} << (type % 64U)); }
  // The first type in both sets that comes after `last`, going round; 0 when they have none in common.
  [[nodiscard]] TypeNumber next_common(const TypeSet& other, TypeNumber last) const;

 private:
  std::vector<std::uint64_t> words_;
};

class Backlog {
 public:
  enum class Lane : std::uint8_t { Again, Fresh, Held };
  static constexpr std::size_t priorities = 10;

  explicit Backlog(Positions& positions) : positions_(positions) {}

  // At the end of its lane. REQUIRES: the task is in no queue and has no lease.
  void push(TaskHandle task, TypeNumber type, std::uint8_t priority, Lane lane, WallTime now = {});
  // REQUIRES: the task is in a queue; of this type.
  void remove(TaskHandle task, TypeNumber type);
  // Takes out the next task of these types; 0 when none of them waits.
  TaskHandle pop(const TypeSet& types);
  void release_held();

  [[nodiscard]] std::size_t size() const { return size_; }  // held ones included
  [[nodiscard]] std::size_t size_of(TypeNumber type) const { return type < sizes_.size() ? sizes_[type] : 0; }
  // The first of each queue of the type: the oldest is one of them, as far as ids tell the age.
  [[nodiscard]] std::vector<TaskHandle> fronts_of(TypeNumber type);
  // Since when tasks of the type wait without a break: none of them has been ready for longer. 0: not known.
  [[nodiscard]] WallTime waiting_since(TypeNumber type) const {
    return type < since_.size() && size_of(type) > 0 ? since_[type] : WallTime{};
  }
  void forget_since() { since_.clear(); }
  [[nodiscard]] bool is_ready() const { return ready_types_ > 0; }
  void check_invariants() const;

 private:
  static constexpr std::size_t lanes = 3;
  [[nodiscard]] static std::size_t head_of(TypeNumber type, std::size_t priority, Lane lane) {
    return (type * priorities + priority) * lanes + static_cast<std::size_t>(lane);
  }
  [[nodiscard]] Position& head(TypeNumber type, std::size_t priority, Lane lane) {
    return positions_[static_cast<Handle>(head_of(type, priority, lane)) | Positions::head_bit];
  }
  [[nodiscard]] bool is_empty(TypeNumber type, std::size_t priority, Lane lane);
  void mark(TypeNumber type, std::size_t priority);

  Positions& positions_;
  std::array<TypeSet, priorities> waiting_;
  std::array<std::uint32_t, priorities> waiting_types_{};  // bits set in waiting_
  std::array<TypeNumber, priorities> last_{};              // whose turn it was
  std::uint32_t ready_types_ = 0;                          // sum of waiting_types_
  std::size_t size_ = 0;
  std::vector<std::uint32_t> sizes_;  // by type
  std::vector<WallTime> since_;       // by type: the first push into what was empty
};

}  // namespace cidbus
