// The threads that run attempts, and the queue in front of them.
//
// A slot is a thread that takes the oldest waiting attempt, runs it to its end, and takes the next. The
// worker's own thread queues, withdraws and cancels, and collects what began and what ended; task code can
// hold up a slot, never the thread that renews leases.
//
// Invariants
//  1. At most open() attempts begin at once, in the order in which they were queued; all `count` are open
//     at first.
//  2. Each attempt that began ends once, also when its runner faults.
//  3. withdraw() is true for exactly the attempts that never begin.
//  4. The worker's thread is not woken for each attempt (shared/io/work_desk.h). Whoever launched some, or
//     was told `more_soon`, takes the events by itself within gather_time; so it learns in time that a long
//     one has begun, and of a short one only that it is done. One alone is told at once.
//
// Thread rule: everything here from the worker's thread; the runner is called on a slot's.
// Limits: the queue holds what the worker was granted, limits::tasks_a_worker.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/limits/tasks.h"
#include "shared/core/message.h"
#include "worker/core/worker_core.h"
#include "worker/handlers/handler.h"

namespace cidbus {

// An attempt on its way to a slot or in one. Owned copies: the frame it came in is long gone.
struct Job {
  AttemptId attempt;
  std::string type;
  Bytes work;
  CancelToken cancelled;
  RunProgress progress;
  RunLog log;
  std::string trace;  // its id, once the runner has read it; empty for none
};

struct JobEnd {
  Outcome outcome = Outcome::Completed;
  Bytes result;
  std::string error;
  Bytes log = {};  // attempt_history.h
};

// Runs one job at a time on one slot's thread; a slot has one for its life.
class JobRunner {
 public:
  virtual ~JobRunner() = default;
  virtual JobEnd run(Job& job) = 0;
};

class Slots {
 public:
  // `make_runner` is called once on each slot's thread.
  Slots(std::uint32_t count, std::function<std::unique_ptr<JobRunner>()> make_runner);
  // Cancels what runs and waits for it.
  ~Slots();
  Slots(const Slots&) = delete;
  Slots& operator=(const Slots&) = delete;

  // So many run at once from now on; what runs in others is finished. The events are to be taken within
  // gather_time. REQUIRES: from 1 to `count`.
  void set_open(std::uint32_t open);
  [[nodiscard]] std::uint32_t open() const;
  // Queued; slots see it at launch(), so that what one message brought wakes them once.
  void start(const DispatchItem& item);
  // Whether there was anything: then the events are to be taken within gather_time.
  bool launch();
  bool withdraw(const AttemptId& attempt);
  void cancel(const AttemptId& attempt);
  // Of an attempt that has begun and not ended; empty for any other.
  [[nodiscard]] std::string type_of(const AttemptId& attempt) const;

  // Readable when something ended that is to be told at once.
  [[nodiscard]] int descriptor() const;
  struct Events {
    std::vector<AttemptId> began;
    std::vector<AttemptEnd> ended;
    bool more_soon = false;  // come again within gather_time, whatever the descriptor says
  };
  static constexpr Duration gather_time = std::chrono::milliseconds(1);
  // What happened since the last call; whatever ended had begun, now or before. The caller may move it away.
  Events& take_events();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cidbus
