#include "client/command/overdue.h"

#include "client/library/task_questions.h"
#include "shared/base/outbox_id.h"

namespace cidbus {

namespace {

// Nothing when the leader does not answer.
std::optional<WorkerSlots> ask_for_slots(Context& context) {
  WorkerSlots slots;
  const RequestId request = context.next_request();
  const Status asked = context.ask_at_once(SnapshotRequest{request}, [&](const Message& message) {
    const auto* snapshot = std::get_if<Snapshot>(&message);
    if (snapshot == nullptr || snapshot->request != request) return false;
    for (const Member& member : snapshot->members) {
      if (member.role != Role::Worker || member.state != MemberState::Alive) continue;
      slots.all += member.load.slots;
      slots.busy += member.load.busy;
    }
    return true;
  });
  return asked ? std::optional(slots) : std::nullopt;
}

bool never_began(const TaskRecord& task) { return task.state == TaskState::Pending && task.attempts == 0; }

// Of a task that never began.
std::string why_pending(const TaskRecord& task, const std::optional<WorkerSlots>& workers) {
  if (!workers && is_outbox_item(task.id)) return "it is in the leecher's outbox, until a broker is there";
  if (!workers) return "it waits for its time, or for a worker that runs " + task.type;
  if (workers->all == 0) return "no worker is there";
  const std::string all = std::to_string(workers->all);
  if (workers->busy >= workers->all) return "all slots of the workers are busy, " + all + " of them";
  return std::to_string(workers->all - workers->busy) + " of " + all +
         " slots are free, so its time has not come, or no worker that is there runs " + task.type;
}

}  // namespace

std::string standing_of(const TaskRecord& task, const std::optional<WorkerSlots>& workers) {
  if (never_began(task)) return "pending: " + why_pending(task, workers);
  std::string text(to_text(task.state));
  if (task.state == TaskState::Pending)
    text += " after " + std::to_string(task.attempts) + (task.attempts == 1 ? " attempt" : " attempts");
  else
    text += " on " + task.worker + ", attempt " + std::to_string(task.attempts);
  if (!task.error.empty()) text += ", the last that failed: " + task.error;
  return text;
}

Fault overdue(Context& context, TaskId task) {
  const AskLeader ask = [&context](const Message& question, const TakeAnswer& take) {
    return context.ask_at_once(question, take);
  };
  const auto found = show_task(ask, context.next_request(), task);
  if (!found || is_final(found->state))
    return goes_on(task, FaultKind::TimedOut, "no result in the time given");
  const auto workers = never_began(*found) ? ask_for_slots(context) : std::nullopt;
  return goes_on(task, FaultKind::TimedOut,
                 "no result in the time given (" + standing_of(*found, workers) + ")");
}

Fault goes_on(TaskId task, FaultKind kind, const std::string& why) {
  return {kind,
          why + ", and task " + to_text(task) + " goes on; see 'cidbus task wait " + to_text(task) + "'"};
}

}  // namespace cidbus
