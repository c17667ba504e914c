// Room that many threads take and give back: what bounds a queue whose fillers may wait.
//
// Invariants: 1. What was taken and not given back never exceeds the whole, except by one taker who asked for
// more than the whole and waited until nothing was taken.
//
// Thread rule: any thread. Limits: the amount given.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace cidbus {

class Quota {
 public:
  explicit Quota(std::size_t whole) : whole_(whole) {}

  // False when there was no room for so long.
  bool take(std::size_t amount, std::chrono::milliseconds at_most) {
    std::unique_lock lock(mutex_);
    const auto fits = [&] { return taken_ == 0 || (amount <= whole_ && taken_ <= whole_ - amount); };
    if (!room_.wait_for(lock, at_most, fits)) return false;
    taken_ += amount;
    return true;
  }
  // REQUIRES: it was taken.
  void give(std::size_t amount) {
    {
      const std::lock_guard lock(mutex_);
      taken_ -= amount;
    }
    room_.notify_all();
  }

 private:
  const std::size_t whole_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::size_t taken_ = 0;
};

}  // namespace cidbus
