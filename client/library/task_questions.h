// Questions about tasks that need no session: show, wait, list, cancel.
//
// How a question reaches the leader, and for how long, is the caller's business: the command has one
// connection and --timeout, the library lends connections to many threads.
//
// Thread rule: the caller's. Limits: limits::items_a_message tasks a question.
#pragma once

#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "client/library/task_record.h"
#include "shared/base/result.h"
#include "shared/core/message.h"

namespace cidbus {

using TakeAnswer = std::function<bool(const Message&)>;  // true: this was the answer
using AskLeader = std::function<Status(const Message& question, const TakeAnswer& take)>;

// What every command and program says of a task that brokers do not know.
Fault unknown_task(TaskId task);

// NotFound when the brokers do not know it.
Result<TaskRecord> show_task(const AskLeader& ask, RequestId request, TaskId task);

// One attempt of a task, owned.
struct AttemptRecord {
  std::uint32_t attempt = 0;
  std::string how;     // "completed", "failed", "retry", "timed out", "worker lost", ...
  std::string worker;  // empty when that is not known
  std::string ended;   // of a program: "exited with 3"; else empty
  std::string error;
  std::string output;  // the ends of what it said
  std::string errors;
  WallTime started;  // 0 when that is not known
  WallTime finished;
};
// The last attempts that failed or said something, oldest first. NotFound as above.
Result<std::vector<AttemptRecord>> task_logs(const AskLeader& ask, RequestId request, TaskId task);

struct TaskPage {
  std::vector<TaskRecord> tasks;
  bool more = false;  // ask again with `before` the last of these
};
Result<TaskPage> list_tasks(const AskLeader& ask, const TaskList& list);

using CancelledTasks = std::vector<std::pair<TaskId, CancelAnswer>>;
Result<CancelledTasks> cancel_tasks(const AskLeader& ask, RequestId request, std::span<const TaskId> tasks);

// Until all are final. `told` hears of each once, as it becomes final; of one that brokers do not know, the
// fault.
Status wait_for_tasks(const AskLeader& ask, RequestId request, std::span<const TaskId> tasks,
                      const std::function<void(TaskId, const Result<TaskRecord>&)>& told);

}  // namespace cidbus
