// A task as it is told to people and programs: TaskInfo with its work and result decoded, owned.
//
// Thread rule: values. Limits: those of the messages.
#pragma once

#include <string>
#include <utility>
#include <vector>

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
  std::string traceparent;  // empty: it belongs to no trace
  WallTime submitted_at;
  WallTime started_at;
  WallTime finished_at;
};

TaskRecord make_task_record(const TaskInfo& info);
// What somebody asked for, as far as he has to remember it: brokers leave it out of a result that they push.
struct Asked {
  std::vector<std::string> inputs;  // CIDs
  std::string traceparent;
};
TaskRecord make_task_record(const TaskInfo& info, const Asked& asked);

}  // namespace cidbus
