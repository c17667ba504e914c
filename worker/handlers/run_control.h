// The two lines between a running handler and the worker that hosts it: stop, and how far it is.
//
// Both are read and written from different threads (a slot runs the handler; the thread that renews leases
// cancels it and reads its progress) and from threads of libraries, so both are lock-free cells, not
// callbacks: a callback would run on a thread its owner does not expect.
//
// Invariants: 1. a cancelled token stays cancelled. 2. progress is 0 to 1000.
// Thread rule: any thread. Limits: wait_for sleeps at most as long as it is asked to.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace cidbus {

class CancelToken {
 public:
  CancelToken() = default;
  CancelToken(const CancelToken&) = delete;
  CancelToken& operator=(const CancelToken&) = delete;

  // Wakes everyone in wait_for. Calling it again changes nothing.
  void cancel();
  [[nodiscard]] bool cancelled() const { return state_.load(std::memory_order_acquire) != 0; }
  // True as soon as the token is cancelled, false when the time is over.
  [[nodiscard]] bool wait_for(std::chrono::milliseconds time) const;

 private:
  mutable std::atomic<std::uint32_t> state_{0};  // 1 once cancelled; a futex word
};

class RunProgress {
 public:
  RunProgress() = default;
  RunProgress(const RunProgress&) = delete;
  RunProgress& operator=(const RunProgress&) = delete;

  void set_permille(std::uint32_t permille) {
    permille_.store(std::min(permille, 1000U), std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint32_t permille() const { return permille_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint32_t> permille_{0};
};

}  // namespace cidbus
