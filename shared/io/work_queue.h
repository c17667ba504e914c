// A queue with one owner who fills it and many threads who take from it, each sleeping until there is
// something.
//
// Invariants: 1. what is pushed is taken once, oldest first, or withdrawn. 2. After close() nobody sleeps and
// nothing is taken.
//
// Thread rule: push, withdraw and close from one thread, take from any. Limits: none of its own: whoever
// pushes bounds it.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <mutex>
#include <optional>

namespace cidbus {

template <typename Item>
class WorkQueue {
 public:
  void push(Item item) {
    {
      const std::lock_guard lock(mutex_);
      items_.push_back(std::move(item));
    }
    filled_.notify_one();
  }
  template <typename Items>
  void push_all(Items&& items) {
    const std::size_t count = std::size(items);
    {
      const std::lock_guard lock(mutex_);
      std::move(std::begin(items), std::end(items), std::back_inserter(items_));
    }
    if (count == 1) filled_.notify_one();
    if (count > 1) filled_.notify_all();
  }
  [[nodiscard]] bool empty() {
    const std::lock_guard lock(mutex_);
    return items_.empty();
  }
  // Sleeps until there is an item; nothing once the queue is closed.
  std::optional<Item> take() {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [this] { return closed_ || !items_.empty(); });
    if (closed_) return std::nullopt;
    std::optional<Item> item(std::move(items_.front()));
    items_.pop_front();
    return item;
  }
  // Takes out an item that nobody has taken yet; false when somebody has.
  bool withdraw(const Item& item) {
    const std::lock_guard lock(mutex_);
    const auto found = std::find(items_.begin(), items_.end(), item);
    if (found == items_.end()) return false;
    items_.erase(found);
    return true;
  }
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    filled_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<Item> items_;
  bool closed_ = false;
};

}  // namespace cidbus
