// Mailbox: values handed from one thread to another, with a file descriptor that is readable while any wait.
//
// The reactor cannot wait on a mutex, and a pair of zmq sockets would cost two messages a value; this is a
// list under a lock and an eventfd, so either end may be a reactor that polls fd() or an actor that waits in
// wait().
//
// Invariants
//  1. Values come out in the order they went in, each once.
//  2. fd() is readable from the first push() until the take_all() that empties it.
//
// Thread rule: push() from any thread; take_all() and wait() from one. The lock is held for a few pointer
// moves. Limits: none of its own; who pushes keeps within a credit.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "shared/base/ensure.h"

namespace cidbus {

template <typename Value>
class Mailbox {
 public:
  Mailbox() : event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { ENSURE(event_ >= 0, "errno", errno); }
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;
  ~Mailbox() { ::close(event_); }

  void push(Value value) {
    bool rings = false;
    {
      const std::lock_guard guard(lock_);
      values_.push_back(std::move(value));
      rings = !std::exchange(rung_, true);
    }
    if (rings) ring();
  }

  // Everything that waits, oldest first; nothing when nothing does.
  std::vector<Value> take_all() {
    std::uint64_t rings = 0;
    while (::read(event_, &rings, sizeof rings) < 0 && errno == EINTR) continue;
    const std::lock_guard guard(lock_);
    rung_ = false;
    return std::exchange(values_, {});
  }

  // Until something waits, or the time is over (a negative one never is). Gives whether something does.
  bool wait(std::chrono::milliseconds at_most = std::chrono::milliseconds(-1)) {
    pollfd entry{event_, POLLIN, 0};
    int ready = 0;
    while ((ready = ::poll(&entry, 1, static_cast<int>(at_most.count()))) < 0 && errno == EINTR) continue;
    return ready > 0;
  }

  // For a reactor to poll for reading.
  [[nodiscard]] int fd() const { return event_; }

 private:
  void ring() {
    const std::uint64_t one = 1;
    while (::write(event_, &one, sizeof one) < 0 && errno == EINTR) continue;
  }

  const int event_;
  std::mutex lock_;
  std::vector<Value> values_;
  bool rung_ = false;  // since the last take_all()
};

}  // namespace cidbus
