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
  WallTime submitted_at;
  WallTime started_at;
  WallTime finished_at;
};

TaskRecord make_task_record(const TaskInfo& info);
// Of a result pushed to who submitted it: brokers leave out what he asked for, so he says it again.
TaskRecord make_task_record(const TaskInfo& info, const std::vector<std::string>& inputs);

}  // namespace cidbus
