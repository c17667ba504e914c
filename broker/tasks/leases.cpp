#include "broker/tasks/leases.h"

#include "shared/base/ensure.h"

namespace cidbus {

Handle Leases::add(TaskHandle task, TaskId id, std::uint32_t attempt, NodeNumber worker, LeaseList& of_worker,
                   Monotonic deadline) {
  ENSURE(!positions_.is_queued(task) && positions_.lease_of(task) == 0, "task", id.value);
  const Handle handle = leases_.take();
  Lease& lease = leases_[handle];
  lease.task = task;
  lease.id = id;
  lease.attempt = attempt;
  lease.worker = worker;
  lease.deadline = deadline;
  lease.previous = of_worker.last;
  (of_worker.last != 0 ? leases_[of_worker.last].next : of_worker.first) = handle;
  of_worker.last = handle;
  ++of_worker.count;
  append(handle);
  positions_.set_lease(task, handle);
  return handle;
}

void Leases::renew(Handle handle, Monotonic deadline) {
  Lease& lease = leases_[handle];
  if (lease.ending) return;
  lease.deadline = deadline;
  if (last_ == handle) return;
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
  ENSURE(last_ == 0 || leases_[last_].deadline <= lease.deadline, "task", lease.id.value);
  lease.earlier = last_;
  lease.later = 0;
  (last_ != 0 ? leases_[last_].later : first_) = handle;
  last_ = handle;
}

void Leases::unlink(Handle handle) {
  const Lease& lease = leases_[handle];
  (lease.earlier != 0 ? leases_[lease.earlier].later : first_) = lease.later;
  (lease.later != 0 ? leases_[lease.later].earlier : last_) = lease.earlier;
}

}  // namespace cidbus
