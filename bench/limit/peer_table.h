// Which client waits for which task: open addressing, linear probing, no allocation a task.
//
// Invariants: 1. A number is in it once. 2. At most half of the places are taken; past that it doubles.
//
// Thread rule: one owner. Limits: the tasks in flight.
#pragma once

#include <cstdint>
#include <vector>

#include "shared/base/ensure.h"

namespace cidbus::limit {

class PeerTable {
 public:
  // REQUIRES: a number above 0 that is not in it.
  void put(std::uint64_t number, std::uint32_t peer) {
    if (count_ * 2 >= entries_.size()) grow();
    place_of(number) = {number, peer};
    ++count_;
  }
  // The peer of the number, which is in it no more. REQUIRES: it is in it.
  std::uint32_t take(std::uint64_t number) {
    Entry& entry = place_of(number);
    ENSURE(entry.number == number, "task", number);
    const std::uint32_t peer = entry.peer;
    close_gap(static_cast<std::size_t>(&entry - entries_.data()));
    --count_;
    return peer;
  }
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  struct Entry {
    std::uint64_t number = 0;  // 0: free
    std::uint32_t peer = 0;
  };
  [[nodiscard]] std::size_t mask() const { return entries_.size() - 1; }
  [[nodiscard]] std::size_t home_of(std::uint64_t number) const {
    return (number * 0x9e3779b97f4a7c15ULL >> 32) & mask();
  }
  Entry& place_of(std::uint64_t number) {
    std::size_t place = home_of(number);
    while (entries_[place].number != 0 && entries_[place].number != number) place = (place + 1) & mask();
    return entries_[place];
  }
  // What was pushed further by the entry that goes moves up (Knuth, 6.4, algorithm R).
  void close_gap(std::size_t gap) {
    for (std::size_t place = (gap + 1) & mask(); entries_[place].number != 0; place = (place + 1) & mask()) {
      const std::size_t home = home_of(entries_[place].number);
      if (((place - home) & mask()) < ((place - gap) & mask())) continue;
      entries_[gap] = entries_[place];
      gap = place;
    }
    entries_[gap] = {};
  }
  void grow() {
    std::vector<Entry> old(entries_.size() * 2);
    old.swap(entries_);
    for (const Entry& entry : old) {
      if (entry.number != 0) place_of(entry.number) = entry;
    }
  }

  std::vector<Entry> entries_ = std::vector<Entry>(1024);
  std::size_t count_ = 0;
};

}  // namespace cidbus::limit
