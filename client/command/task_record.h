// The forms of a task record in JSON and text. docs/command.md promises the JSON.
//
// Thread rule: values. Limits: those of the messages.
#pragma once

#include <string>
#include <vector>

#include "client/command/output.h"
#include "client/library/task_record.h"

namespace cidbus {

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
