// A queue in one block of memory, for what is on its way through the journal: in at the back, out at the
// front.
//
// Thread rule: one owner. Limits: the owner's.
#pragma once

#include <bit>
#include <cstddef>
#include <utility>
#include <vector>

namespace cidbus {

template <typename Item>
class Fifo {
 public:
  void push(Item item) {
    if (count_ == ring_.size()) grow();
    ring_[(first_ + count_) & (ring_.size() - 1)] = std::move(item);
    ++count_;
  }
  // REQUIRES: not empty, for both.
  [[nodiscard]] Item& front() { return ring_[first_]; }
  void pop() {
    ring_[first_] = Item{};
    first_ = (first_ + 1) & (ring_.size() - 1);
    --count_;
  }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  void grow() {
    std::vector<Item> larger(ring_.empty() ? 64 : ring_.size() * 2);
    for (std::size_t at = 0; at < count_; ++at)
      larger[at] = std::move(ring_[(first_ + at) & (ring_.size() - 1)]);
    ring_ = std::move(larger);
    first_ = 0;
  }

  std::vector<Item> ring_;  // a power of two
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace cidbus
