// SIGINT, SIGTERM and SIGHUP as an event, for a command that has something to say before it ends.
//
// A command ends by itself when it sees the event; one that is in the middle of a long call is ended from
// here a moment later, with 128 + the signal's number either way. A second signal ends it at once.
//
// An actor: its thread waits for the signals. Thread rule: descriptor() and signal() from any thread; the
// owner destroys it. REQUIRES: block_stop_signals() was called before any thread was started.
#pragma once

#include <atomic>
#include <thread>

namespace cidbus {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // Readable from the first signal on.
  [[nodiscard]] int descriptor() const { return caught_descriptor_; }
  // The signal's number; 0 before there was one.
  [[nodiscard]] int signal() const { return signal_; }

 private:
  void watch();

  int caught_descriptor_;
  int stop_descriptor_;
  std::atomic<int> signal_{0};
  std::thread thread_;
};

}  // namespace cidbus
