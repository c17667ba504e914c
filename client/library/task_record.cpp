#include "client/library/task_record.h"

#include "shared/content/cid.h"
#include "shared/wire/work.h"

namespace cidbus {
namespace {

// Inputs and results are binary CIDs; what is none was typed by somebody and is shown as it is.
std::string cid_text(ByteView bytes) {
  const auto cid = Cid::from_bytes(bytes);
  return cid ? to_text(*cid) : std::string(as_text(bytes));
}

}  // namespace

TaskRecord make_task_record(const TaskInfo& info) {
  TaskRecord task;
  task.id = info.task;
  task.type = info.type;
  task.state = info.state;
  task.attempts = info.attempts;
  task.error = info.error;
  task.worker = info.worker;
  task.key = info.key;
  task.submitted_at = info.submitted_at;
  task.started_at = info.started_at;
  task.finished_at = info.finished_at;
  if (const auto work = decode_work(info.work)) {
    for (const ByteView input : (*work)->inputs) task.inputs.push_back(cid_text(input));
    task.traceparent = (*work)->traceparent;
  }
  if (info.state != TaskState::Completed) return task;
  if (const auto result = decode_result(info.result)) {
    for (const ByteView cid : (*result)->cids) task.cids.push_back(cid_text(cid));
    for (const auto& [name, value] : (*result)->values) task.values.emplace_back(name, value);
  }
  return task;
}

TaskRecord make_task_record(const TaskInfo& info, const Asked& asked) {
  TaskRecord task = make_task_record(info);
  task.inputs = asked.inputs;
  task.traceparent = asked.traceparent;
  return task;
}

}  // namespace cidbus
