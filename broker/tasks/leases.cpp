#include "broker/tasks/leases.h"

#include "shared/base/ensure.h"

namespace cidbus {

Handle Leases::add(TaskHandle task, TaskId id, std::uint32_t attempt, NodeNumber worker, LeaseList& of_worker,
                   bool strict, Monotonic now) {
  ENSURE(!positions_.is_queued(task) && positions_.lease_of(task) == 0, "task", id.value);
  const Handle handle = leases_.take();
  Lease& lease = leases_[handle];
  lease.task = task;
  lease.id = id;
  lease.attempt = attempt;
  lease.worker = worker;
  lease.strict = strict;
  lease.deadline = now + list_of(lease).length;
  lease.previous = of_worker.last;
  (of_worker.last != 0 ? leases_[of_worker.last].next : of_worker.first) = handle;
  of_worker.last = handle;
  ++of_worker.count;
  append(handle);
  positions_.set_lease(task, handle);
  return handle;
}

void Leases::renew(Handle handle, Monotonic now) {
  Lease& lease = leases_[handle];
  if (lease.ending) return;
  lease.deadline = now + list_of(lease).length;
  if (list_of(lease).last == handle) return;
  unlink(handle);
  append(handle);
}

void Leases::mark_ending(Handle handle, LogIndex end) {
  Lease& lease = leases_[handle];
  if (!lease.ending) unlink(handle);
  lease.ending = true;
  lease.end = end;
}

void Leases::drop(Handle handle, LeaseList& of_worker) {
  const Lease& lease = leases_[handle];
  if (!lease.ending) unlink(handle);
  (lease.previous != 0 ? leases_[lease.previous].next : of_worker.first) = lease.next;
  (lease.next != 0 ? leases_[lease.next].previous : of_worker.last) = lease.previous;
  --of_worker.count;
  positions_.set_lease(lease.task, 0);
  leases_.give_back(handle);
}

void Leases::append(Handle handle) {
  Lease& lease = leases_[handle];
  List& list = list_of(lease);
  ENSURE(list.last == 0 || leases_[list.last].deadline <= lease.deadline, "task", lease.id.value);
  lease.earlier = list.last;
  lease.later = 0;
  (list.last != 0 ? leases_[list.last].later : list.first) = handle;
  list.last = handle;
}

void Leases::unlink(Handle handle) {
  const Lease& lease = leases_[handle];
  List& list = list_of(lease);
  (lease.earlier != 0 ? leases_[lease.earlier].later : list.first) = lease.later;
  (lease.later != 0 ? leases_[lease.later].earlier : list.last) = lease.earlier;
}

Handle Leases::first() const {
  if (ordinary_.first == 0 || strict_.first == 0) return ordinary_.first | strict_.first;
  return leases_[strict_.first].deadline < leases_[ordinary_.first].deadline ? strict_.first
                                                                             : ordinary_.first;
}

void Leases::set_length(Duration ordinary, Monotonic now) {
  ordinary_.length = ordinary;
  for (Handle lease = ordinary_.last; lease != 0; lease = leases_[lease].earlier) {
    if (leases_[lease].deadline <= now + ordinary) break;  // nor does any before it last longer
    leases_[lease].deadline = now + ordinary;
  }
}

}  // namespace cidbus
