// A thread that does something now and then, until it is stopped.
//
// Thread rule: any thread. stop() waits for the thread, unless it is called by what the thread does: then the
// thread ends by itself right after. Limits: none.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "shared/io/mailbox.h"

namespace cidbus {

class Ticker {
 public:
  Ticker() = default;
  ~Ticker() { stop(); }
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  // `tick` is called at once, then at least so often. It owns what it needs. REQUIRES: not started before.
  void start(std::chrono::milliseconds every, std::function<void()> tick) {
    const std::lock_guard guard(lock_);
    thread_ = std::thread([shared = shared_, every, tick = std::move(tick)] {
      while (!shared->stopped) {
        tick();
        if (shared->stopped) break;
        if (shared->woken.wait(every)) shared->woken.take_all();
      }
    });
  }

  // Ticks now.
  void wake() { shared_->woken.push(true); }

  // Nothing is called once this has returned to another thread. Safe to call again.
  void stop() {
    shared_->stopped = true;
    wake();
    const std::lock_guard guard(lock_);
    if (!thread_.joinable()) return;
    if (thread_.get_id() == std::this_thread::get_id())
      thread_.detach();
    else
      thread_.join();
  }

 private:
  struct Shared {
    Mailbox<bool> woken;
    std::atomic<bool> stopped{false};
  };
  const std::shared_ptr<Shared> shared_ = std::make_shared<Shared>();  // with the thread
  std::mutex lock_;                                                    // of thread_
  std::thread thread_;
};

}  // namespace cidbus
