#include "worker/handlers/run_control.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <climits>

namespace cidbus {
namespace {

// A futex rather than a condition variable: no lock is needed for one word, and std::atomic::wait has no
// timeout.
void futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value, const timespec* timeout) {
  static_assert(sizeof(word) == sizeof(std::uint32_t) && std::atomic<std::uint32_t>::is_always_lock_free);
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), operation, value, timeout, nullptr, 0);
}

}  // namespace

void CancelToken::cancel() {
  state_.store(1, std::memory_order_release);
  futex(state_, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr);
}

bool CancelToken::wait_for(std::chrono::milliseconds time) const {
  using std::chrono::steady_clock;
  const auto end = steady_clock::now() + time;
  while (!cancelled()) {
    const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(end - steady_clock::now());
    if (left.count() <= 0) return false;
    const timespec timeout{.tv_sec = static_cast<time_t>(left.count() / 1'000'000'000),
                           .tv_nsec = static_cast<long>(left.count() % 1'000'000'000)};
    futex(state_, FUTEX_WAIT_PRIVATE, 0, &timeout);
  }
  return true;
}

}  // namespace cidbus
