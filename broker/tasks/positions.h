// Where the leader has each open task: in a queue, with a worker, or nowhere (waiting for its time, or done).
//
// Eight bytes a task, in pages beside the state's own rows and under the same handles. Queues are linked
// through them; their heads stand in the same numbering, with a bit of their own.
//
// Thread rule: one owner. Limits: as many as task handles.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "broker/tasks/slab.h"

namespace cidbus {

struct Position {
  Handle previous = 0;  // in its queue; 0: in none
  Handle next = 0;      // in its queue, or its lease
};

class Positions {
 public:
  static constexpr Handle head_bit = 1U << 31;

  [[nodiscard]] Position& operator[](Handle handle) {
    if ((handle & head_bit) != 0) return heads_[handle & ~head_bit];
    const std::size_t page = handle >> page_bits;
    if (page >= pages_.size()) pages_.resize(page + 1);
    if (pages_[page] == nullptr) {
      pages_[page] = std::make_unique<Page>();
      ++live_pages_;
    }
    return (*pages_[page])[handle & (slots_a_page - 1)];
  }
  [[nodiscard]] bool is_queued(Handle task) { return (*this)[task].previous != 0; }
  // The handle of its lease; 0 when it is with no worker.
  [[nodiscard]] Handle lease_of(Handle task) {
    const Position position = (*this)[task];
    return position.previous != 0 ? 0 : position.next;
  }
  void set_lease(Handle task, Handle lease) { (*this)[task] = {0, lease}; }

  [[nodiscard]] std::size_t heads() const { return heads_.size(); }
  // Adds heads of empty queues up to this number.
  void add_heads(std::size_t count) {
    for (auto number = static_cast<Handle>(heads_.size()); number < count; ++number) {
      heads_.push_back({number | head_bit, number | head_bit});
    }
  }

  [[nodiscard]] std::size_t memory_used() const {
    return live_pages_ * sizeof(Page) + pages_.capacity() * sizeof(pages_[0]) +
           heads_.capacity() * sizeof(Position);
  }

 private:
  static constexpr unsigned page_bits = 12;
  static constexpr std::size_t slots_a_page = std::size_t{1} << page_bits;
  using Page = std::array<Position, slots_a_page>;

  std::vector<std::unique_ptr<Page>> pages_;
  std::vector<Position> heads_;
  std::size_t live_pages_ = 0;
};

}  // namespace cidbus
