// The leader's leases: which worker has which attempt, and until when (CONSENSUS W2 to W4).
//
// Leases of a kind last equally long, so the one renewed longest ago is the next to end: a list in the order
// of renewal is all the timer they need. How long ordinary ones last is voted on; strict ones always have
// limits::lease, since what was promised under one length must hold under the next, also by another leader.
//
// Invariants
//  1. A task has at most one lease here (I8).
//  2. A lease is in its worker's list and in a list by deadline, unless `ending`: then it is only in the
//     worker's, since the record that ends it is on its way.
//
// Thread rule: one owner. Limits: limits::tasks_a_worker a worker.
#pragma once

#include "broker/tasks/positions.h"
#include "broker/tasks/slots.h"
#include "shared/base/limits/tasks.h"
#include "shared/base/limits/times.h"
#include "shared/base/time.h"

namespace cidbus {

struct Lease {
  TaskHandle task = 0;
  TaskId id;
  Epoch epoch;  // under which the worker knows it
  std::uint32_t attempt = 0;
  NodeNumber worker = 0;
  bool processing = false;  // the worker said so
  bool ending = false;      // REQUEUE or RESULT for it is proposed
  bool told = false;        // by its own worker: no need to call it back when the task is final
  bool confirmed = false;   // named in the hello being looked at
  bool strict = false;      // ends by its worker's word or at its deadline, whoever is silent or gone (W3)
  bool expected = false;    // counts among what its worker has before it
  bool dispatched = true;   // false: strict, and its LEASE is on the way (W1)
  LogIndex end;             // the record that ends it, once `ending`
  Monotonic deadline;
  std::chrono::microseconds expects{0};  // how long it is expected to run
  Monotonic handed_out{};                // in this office; 0: in an earlier one
  Handle earlier = 0;                    // by deadline
  Handle later = 0;
  Handle previous = 0;  // of the worker
  Handle next = 0;
};

struct LeaseList {  // of one worker, in the order they were handed out
  Handle first = 0;
  Handle last = 0;
  std::uint32_t count = 0;
};

class Leases {
 public:
  explicit Leases(Positions& positions) : positions_(positions) {}

  // From `now` on; ordinary leases that would last longer are cut to it.
  void set_length(Duration ordinary, Monotonic now);
  // REQUIRES: the task is in no queue and has no lease; `now` never decreases.
  Handle add(TaskHandle task, TaskId id, std::uint32_t attempt, NodeNumber worker, LeaseList& of_worker,
             bool strict, Monotonic now);
  void renew(Handle lease, Monotonic now);
  // No deadline from here on: `end` is on its way.
  void mark_ending(Handle lease, LogIndex end);
  void drop(Handle lease, LeaseList& of_worker);

  [[nodiscard]] Lease& operator[](Handle lease) { return leases_[lease]; }
  [[nodiscard]] const Lease& operator[](Handle lease) const { return leases_[lease]; }
  // The one that ends first; 0 when there is none.
  [[nodiscard]] Handle first() const;
  [[nodiscard]] std::size_t size() const { return leases_.size(); }
  [[nodiscard]] std::size_t memory_used() const { return leases_.memory_used(); }

 private:
  void append(Handle lease);
  void unlink(Handle lease);

  Positions& positions_;
  Slab<Lease> leases_;
  struct List {
    Handle first = 0;
    Handle last = 0;
    Duration length = limits::lease;
  };
  [[nodiscard]] List& list_of(const Lease& lease) { return lease.strict ? strict_ : ordinary_; }
  List ordinary_;
  List strict_;
};

}  // namespace cidbus
