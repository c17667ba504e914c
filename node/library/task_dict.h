// Tasks as dicts, and what carries them over the bus.
//
// A task travels so that any worker can run it, whoever made it: its content as inputs, its parameters as
// texts. Where that loses something (a number would be a text, a name of the program's own would be nowhere),
// the whole dict goes along as JSON, in a note (worker/handlers/handler.h) that only handlers of programs
// see.
//
// Invariant: task_of() of what order_of() made is the dict that was given, to the last digit.
//
// Thread rule: functions of their arguments. Limits: those of a task (limits/tasks.h).
#pragma once

#include <string>
#include <vector>

#include "cidbus/cluster/value.h"
#include "cidbus/worker.h"
#include "client/library/task_submitter.h"

namespace cidbus::v1 {

// From {"type", "cid" or "cids", "parameters", ...}; "priority", "retries", "delay", "deadline", "time_limit"
// (seconds) and "key" are those of a TaskRequest. What is no CID stays a text: it is the task's to fail with
// the reason. BadUsage for a dict that no task can be made of.
Result<SubmissionOrder> order_of(const Dict& task);
// What a handler is given.
Dict task_of(const std::string& type, const std::vector<Cid>& inputs, const NamedTexts& parameters);

// What a handler gave: its dict, and its "cid" or "cids" as content of the result.
TaskResult result_of(const Dict& given);
// The dict that a handler gave; of any other task {"cids", "values"}, and "cid" when there is one.
Dict result_dict(const std::vector<std::string>& cids, const NamedTexts& values);

// {"id", "status", "type", "submitted_at", "assigned_to", "assigned_at", "completed_at", "result", "error"};
// times in seconds since the epoch, null for what is not yet.
Dict status_of(const TaskRecord& task);
Value seconds_of(cidbus::WallTime time);

}  // namespace cidbus::v1
