// What the leader measures of tasks: as they pass, and when somebody reads.
#include <algorithm>

#include "broker/tasks/task_service.h"

namespace cidbus {

using std::chrono::milliseconds;

namespace {

// Milliseconds; of a task that never was handed out. One that was is ready since it came back, or later.
std::int64_t ready_at(const StateTables& tables, const TaskSlot& slot) {
  const std::int64_t not_before = slot.rare == 0 ? 0 : tables.rare(slot).not_before;
  return std::max(slot.submitted_at.milliseconds, not_before);
}

}  // namespace

void TaskService::measure_wait(Now now, const TaskSlot& slot) {
  if (slot.attempts > 0) return;  // it was handed out before
  const std::int64_t ready = ready_at(state_->tables(), slot);
  metrics_.wait.observe(milliseconds(std::max<std::int64_t>(now.wall.milliseconds - ready, 0)));
}

void TaskService::measure_result(Now now, const CompleteItem& item, Handle lease) {
  metrics_.run.observe(item.elapsed);
  if (lease != 0 && leases_[lease].handed_out != Monotonic{})
    metrics_.dispatch.observe(now.monotonic - leases_[lease].handed_out - item.elapsed);
}

// Types of which nothing waits are left out.
void TaskService::read_metrics(Now now, Registry& registry) {
  for (TypeNumber type = 1; type <= state_->types().size(); ++type) {
    const std::size_t waiting = backlog_.size_of(type);
    if (waiting == 0) continue;
    const std::string_view name = state_->types().name(type);
    registry.gauge(Metric::QueueDepth, name).add(static_cast<double>(waiting));
    std::int64_t oldest = now.wall.milliseconds;
    for (const TaskHandle task : backlog_.fronts_of(type))
      oldest = std::min(oldest, ready_at(state_->tables(), state_->task(task)));
    // One that was handed back, or had to wait for others, is ready since it came into the queue.
    oldest = std::max(oldest, backlog_.waiting_since(type).milliseconds);
    Gauge& age = registry.gauge(Metric::QueueOldestAge, name);
    age.set(std::max(age.value(), static_cast<double>(now.wall.milliseconds - oldest) / 1000));
  }
  std::uint64_t credit = 0;
  for (NodeNumber worker = 1; worker <= workers_.count(); ++worker)
    if (workers_[worker].peer != Peer::Nobody) credit += workers_[worker].credit;
  registry.gauge(Metric::Credit).set(credit);
}

}  // namespace cidbus
