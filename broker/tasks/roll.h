// The roll of tasks: which tasks of a type are in a state, newest first, without looking at the others.
//
// Every type has its own sequence of pages in the order of task ids (ids only grow, so entering is
// appending). A page holds handles and, beside them, one byte of state each with a count per state, so that
// whole pages are passed over and a change of state writes one byte. Pages that have become sparse are merged
// with a neighbour: an old task among a million gone ones does not keep their room.
//
// The byte may say Processing, which the state machine does not know: the leader writes it (mark_processing).
//
// Invariants
//  1. Each task in the roll stands once, at the place its slot names, with its state (or Processing for
//     Assigned).
//  2. Within a type, places in the order of their pages are in the order of ids.
//  3. counts() are the sums over the pages.
//
// Thread rule: one owner. Limits: 2^21 pages of 2048.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "broker/tasks/slots.h"

namespace cidbus {

using StateCounts = std::array<std::uint64_t, task_state_count>;

struct RollQuery {
  std::optional<TaskState> state;
  TypeNumber type = 0;  // 0: any
  TaskId before;        // only tasks older than this one; 0: from the newest
  std::size_t limit = 100;
};
struct RollAnswer {
  std::vector<TaskHandle> tasks;  // newest first
  bool more = false;
  std::size_t visited = 0;  // task slots looked at: limit, a few a type
};

class Roll {
 public:
  explicit Roll(Slab<TaskSlot>& tasks) : tasks_(tasks) {}

  // REQUIRES: the task's id is above every id of its type in the roll. Sets the slot's place.
  void enter(TaskHandle task);
  // The slot's state is `state` from now on.
  void set_state(const TaskSlot& slot, TaskState state);
  void leave(const TaskSlot& slot);

  [[nodiscard]] TaskState state_at(std::uint32_t place) const;
  [[nodiscard]] const StateCounts& counts() const { return counts_; }
  [[nodiscard]] RollAnswer list(const RollQuery& query) const;
  [[nodiscard]] std::size_t pages_of(TypeNumber type) const {
    return type < types_.size() ? types_[type].size() : 0;
  }
  // The tasks of a type that are not final, oldest first, a page of 2,048 at a time; `visit` may not change
  // the roll. Gives whether the page had any: one of finished tasks alone costs nothing.
  template <typename Visit>
  bool for_each_unfinished(TypeNumber type, std::size_t position, Visit&& visit) const {
    const Page& page = *pages_[types_[type][position]];
    std::uint32_t left = 0;
    for (std::size_t state = 0; state < task_state_count; ++state)
      left += is_final(static_cast<TaskState>(state)) ? 0 : page.counts[state];
    const bool any = left != 0;
    for (std::uint32_t at = 0; left != 0; ++at) {
      if (page.states[at] == gone || is_final(static_cast<TaskState>(page.states[at]))) continue;
      visit(page.handles[at]);
      --left;
    }
    return any;
  }

  [[nodiscard]] std::size_t memory_used() const {
    return live_pages_ * sizeof(Page) + pages_.capacity() * sizeof(pages_[0]) +
           (vacant_.capacity() + listed_) * sizeof(std::uint32_t);
  }
  void check_invariants() const;

 private:
  static constexpr unsigned page_bits = 11;
  static constexpr std::uint32_t entries_a_page = 1U << page_bits;
  static constexpr std::uint8_t gone = 0xff;
  struct Page {
    std::uint64_t first_id = 0;  // no id in the page is below, all ids of earlier pages are
    std::uint32_t used = 0;      // entries ever made; the next is made here
    std::uint32_t live = 0;
    TypeNumber type = 0;
    std::array<std::uint16_t, task_state_count> counts{};
    std::array<std::uint8_t, entries_a_page> states{};
    std::array<TaskHandle, entries_a_page> handles{};
  };
  using Sequence = std::vector<std::uint32_t>;  // page numbers

  // Where a walk towards older tasks of one type stands.
  struct Cursor {
    const Sequence* pages = nullptr;
    std::size_t page = 0;   // pages not yet done, the current one last
    std::uint32_t end = 0;  // entries of the current page not yet seen
    TaskHandle task = 0;    // found; 0 at the end
    std::uint64_t id = 0;
  };
  [[nodiscard]] Cursor open(TypeNumber type, const RollQuery& query, std::size_t& visited) const;
  [[nodiscard]] std::uint32_t end_before(const Page& page, TaskId before, std::size_t& visited) const;
  void advance(Cursor& cursor, const RollQuery& query) const;

  Page& page_of(std::uint32_t place) { return *pages_[place >> page_bits]; }
  std::uint32_t add_page(TypeNumber type, std::uint64_t first_id);
  void drop_page(std::size_t position, TypeNumber type);
  [[nodiscard]] std::size_t position_of(const Page& page) const;
  void tidy(std::uint32_t number);
  void merge(std::uint32_t into, std::uint32_t from);

  Slab<TaskSlot>& tasks_;
  std::vector<std::unique_ptr<Page>> pages_;  // null: vacant
  std::vector<std::uint32_t> vacant_;
  std::vector<Sequence> types_;
  StateCounts counts_{};
  std::size_t live_pages_ = 0;
  std::size_t listed_ = 0;  // page numbers in all sequences
};

}  // namespace cidbus
