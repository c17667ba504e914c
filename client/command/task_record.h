// A task as the command tells it: TaskInfo with its work and result decoded, owned, and its forms in JSON and
// text. docs/command.md promises the JSON.
//
// Thread rule: values. Limits: those of the messages.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "client/command/output.h"
#include "shared/core/task.h"

namespace cidbus {

struct TaskRecord {
  TaskId id;
  std::string type;
  TaskState state = TaskState::Pending;
  std::uint32_t attempts = 0;
  std::vector<std::string> inputs;  // CIDs
  std::vector<std::string> cids;    // of the result
  std::vector<std::pair<std::string, std::string>> values;
  std::string error;   // of the last attempt that failed; empty for none
  std::string worker;  // of the last attempt; empty before the first
  std::string key;
  WallTime submitted_at;
  WallTime started_at;
  WallTime finished_at;
};

TaskRecord make_task_record(const TaskInfo& info);
// Of a result pushed to who submitted it: brokers leave out what he asked for, so he says it again.
TaskRecord make_task_record(const TaskInfo& info, const std::vector<std::string>& inputs);

// {"id":…,"type":…,…}
std::string to_json(const TaskRecord& task);
// A row a field, for one task.
void print_details(Output& output, const TaskRecord& task);
// One line: id, state, and what came of it.
std::string summary(const Output& output, const TaskRecord& task);
// For `quiet`: the result's CIDs, a line each.
void print_quiet(Output& output, const TaskRecord& task);
// A table of many; a long one comes in portions, of which the first has the heading.
void print_table(Output& output, const std::vector<TaskRecord>& tasks, bool heading);

// Why the task did not complete, as an error line: "task t1a failed: …". REQUIRES: final and not completed.
std::string failure_of(const TaskRecord& task);

}  // namespace cidbus
