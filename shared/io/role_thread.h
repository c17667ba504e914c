// The thread a role lives on: one reactor, started and stopped from outside, with an orderly end.
//
// A role derives from it, registers its sockets with reactor() and calls start(). What is asked from outside
// arrives on the role's own thread as on_stop(); the role calls end() when it has nothing left to do.
//
// Thread rule: start(), ask_to_stop(), stop_now() and wait() from the owner's thread; everything protected on
// the role's. Limits: none.
#pragma once

#include <atomic>
#include <thread>

#include "shared/io/process.h"
#include "shared/io/reactor.h"

namespace cidbus {

class RoleThread : public RunningRole {
 public:
  RoleThread();
  // REQUIRES: wait() was called, or start() never.
  ~RoleThread() override;

  [[nodiscard]] int ended_descriptor() const override { return ended_; }
  void ask_to_stop() override;
  void stop_now() override;
  Status wait() override;

 protected:
  Reactor& reactor() { return reactor_; }
  // REQUIRES: everything is registered. The thread runs from here on.
  void start();
  // The first request to stop; end() at once unless there is something to finish.
  virtual void on_stop(Now) { end({}); }
  // Ends the loop after this turn; what wait() answers.
  void end(Status status);

 private:
  Reactor reactor_;
  std::thread thread_;
  std::atomic<bool> stop_asked_{false};
  bool stop_told_ = false;
  Status status_;
  int ended_;
};

}  // namespace cidbus
