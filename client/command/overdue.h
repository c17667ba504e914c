// What a command says of a task that has not ended in the time given: where it stands, and why.
//
// It takes a question or two more, for which the leader gets a moment each beyond --timeout; without an
// answer the line is shorter, and it is a line all the same.
//
// Thread rule: the command's thread. Limits: none.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "client/command/context.h"
#include "client/library/task_record.h"

namespace cidbus {

// The slots of all workers that are alive, as their heartbeats told last.
struct WorkerSlots {
  std::uint64_t all = 0;
  std::uint64_t busy = 0;
};

// "pending after 2 attempts, the last of which failed: …". REQUIRES: not final.
std::string standing_of(const TaskRecord& task, const std::optional<WorkerSlots>& workers);

// TimedOut: no result in the time given (…), and the task goes on; where to wait for it.
Fault overdue(Context& context, TaskId task);

// Where a task is that this command no longer waits for.
Fault goes_on(TaskId task, FaultKind kind, const std::string& why);

}  // namespace cidbus
