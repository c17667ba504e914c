// A desk: its owner lays work on it, many hands take from it, each handing in with the same grip what it has
// done.
//
// One lock for an item, and the owner, whose descriptor a reactor polls, is not woken for each: while many
// short items lie there, what is done is gathered.
//
// Invariants
//  1. What is put is taken once, oldest first, or withdrawn; what is taken is done once.
//  2. That an item was begun is told before, or with, that it is done. It wakes nobody: with what was done
//     just before, or within gather_time of the put, since whoever puts collects again by then.
//  3. What is done wakes the owner as soon as no item lies there that a hand may take, so that one alone
//     is told at once; else unless collect() said `more_soon`: then the owner collects again by itself
//     within gather_time.
//  4. After close() nobody sleeps and nothing is taken.
//  5. No item is taken while as many hands are at work as may be: set_limit().
//
// Thread rule: put, withdraw, on_begun, collect and close from the owner's thread; next from the hand's own.
// Limits: none of its own: whoever puts bounds it.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "shared/base/ensure.h"
#include "shared/base/time.h"

namespace cidbus {

// `Item` is copied about: a pointer to what the owner keeps until it is done.
template <typename Item, typename Done>
class WorkDesk {
 public:
  static constexpr Duration gather_time = std::chrono::milliseconds(1);
  struct News {
    std::vector<Item> begun;
    std::vector<Done> done;
    bool more_soon = false;  // collect again within gather_time, whatever the descriptor says
  };

  explicit WorkDesk(std::size_t hands)
      : begun_by_(hands), limit_(hands), event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
    ENSURE(event_ >= 0, "errno", errno);
  }
  WorkDesk(const WorkDesk&) = delete;
  WorkDesk& operator=(const WorkDesk&) = delete;
  ~WorkDesk() { ::close(event_); }

  // Takes all of them.
  void put(std::vector<Item>& items) {
    std::size_t wake = 0;
    {
      const std::lock_guard guard(lock_);
      wake = std::min(items.size(), idle_);
      waiting_.insert(waiting_.end(), items.begin(), items.end());
    }
    items.clear();
    for (; wake > 0; --wake) filled_.notify_one();
  }
  // So many hands may be at work; who is, goes on. As after a put, the owner collects within gather_time.
  // REQUIRES: from 1 to the number of hands.
  void set_limit(std::size_t limit) {
    {
      const std::lock_guard guard(lock_);
      ENSURE(limit >= 1 && limit <= begun_by_.size(), "limit", limit);
      limit_ = limit;
    }
    filled_.notify_all();
  }
  [[nodiscard]] std::size_t limit() {
    const std::lock_guard guard(lock_);
    return limit_;
  }
  // Takes back an item that nobody has taken yet.
  template <typename Is>
  std::optional<Item> withdraw(Is is) {
    const std::lock_guard guard(lock_);
    const auto found = std::find_if(waiting_.begin(), waiting_.end(), is);
    if (found == waiting_.end()) return std::nullopt;
    const Item item = *found;
    waiting_.erase(found);
    return item;
  }
  // Calls `act` with each item that a hand is at.
  template <typename Act>
  void on_begun(Act act) {
    const std::lock_guard guard(lock_);
    for (const auto& item : begun_by_) {
      if (item) act(*item);
    }
  }
  // What happened since the last call; the vectors of `into` are used again.
  void collect(News& into) {
    into.begun.clear();
    into.done.clear();
    std::uint64_t rings = 0;
    while (::read(event_, &rings, sizeof rings) < 0 && errno == EINTR) continue;
    const std::lock_guard guard(lock_);
    into.begun.swap(begun_);
    into.done.swap(done_);
    rung_ = false;
    gathering_ = into.done.size() >= gather_from && !waiting_.empty();
    into.more_soon = gathering_ || has_turn();  // free, and not there yet
  }
  void close() {
    {
      const std::lock_guard guard(lock_);
      closed_ = true;
    }
    filled_.notify_all();
  }
  // Readable when something was done that collect() should tell now.
  [[nodiscard]] int descriptor() const { return event_; }

  // Hands in what became of the item before, sleeps until there is another, and takes it; nothing once it is
  // closed.
  std::optional<Item> next(std::size_t hand, std::optional<Done> done) {
    std::unique_lock lock(lock_);
    bool rings = false;
    if (done) {
      begun_by_[hand].reset();
      --at_work_;
      done_.push_back(*std::move(done));
      rings = !rung_ && (waiting_.empty() || !gathering_);
      rung_ = rung_ || rings;
    }
    if (rings && !has_turn()) {  // it may sleep for long
      lock.unlock();
      ring();
      rings = false;
      lock.lock();
    }
    ++idle_;
    filled_.wait(lock, [this] { return closed_ || has_turn(); });
    --idle_;
    if (closed_) return std::nullopt;
    const Item item = waiting_.front();
    waiting_.pop_front();
    begun_by_[hand] = item;
    ++at_work_;
    begun_.push_back(item);
    lock.unlock();
    if (rings) ring();
    return item;
  }

 private:
  // Whether a hand may take an item now. The lock is held.
  [[nodiscard]] bool has_turn() const { return !waiting_.empty() && at_work_ < limit_; }

  static constexpr std::size_t gather_from = 4;  // done since the last look, with more lying there

  void ring() {
    const std::uint64_t one = 1;
    while (::write(event_, &one, sizeof one) < 0 && errno == EINTR) continue;
  }

  std::mutex lock_;
  std::condition_variable filled_;
  std::deque<Item> waiting_;
  std::vector<std::optional<Item>> begun_by_;  // by hand: what it is at
  std::vector<Item> begun_;                    // since the last collect()
  std::vector<Done> done_;                     // likewise
  std::size_t limit_;                          // so many hands may be at work
  std::size_t at_work_ = 0;  // hands with an item; others may be on their way, or just starting
  std::size_t idle_ = 0;     // hands that sleep, or are about to take
  bool rung_ = false;        // since the last collect()
  bool gathering_ = false;   // the owner collects by itself
  bool closed_ = false;
  const int event_;
};

}  // namespace cidbus
