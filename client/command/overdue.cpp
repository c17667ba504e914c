#include "client/command/overdue.h"

#include "client/library/task_questions.h"

namespace cidbus {

std::string standing_of(const TaskRecord& task) {
  if (task.state == TaskState::Pending && task.attempts == 0)
    return "pending: it waits for its time, or for a worker that runs " + task.type;
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
  const bool stands = found && !is_final(found->state);
  return goes_on(task, FaultKind::TimedOut,
                 "no result in the time given" + (stands ? " (" + standing_of(*found) + ")" : ""));
}

Fault goes_on(TaskId task, FaultKind kind, const std::string& why) {
  return {kind,
          why + ", and task " + to_text(task) + " goes on; see 'cidbus task wait " + to_text(task) + "'"};
}

}  // namespace cidbus
