#include "tests/sim/checkers/journal_checker.h"

#include "shared/base/ensure.h"
#include "tests/sim/base/check.h"

namespace cidbus::sim {
namespace {

template <typename Record>
Record read(ByteView payload) {
  Record record;
  ENSURE(decode(payload, record), "a record that cannot be read");
  return record;
}

}  // namespace

bool JournalChecker::is_final(TaskId task) const {
  const auto found = tasks_.find(task);
  return found != tasks_.end() && found->second.final;
}

std::uint32_t JournalChecker::lease_of(TaskId task) const {
  const auto found = tasks_.find(task);
  return found != tasks_.end() && found->second.leased ? found->second.attempt : 0;
}

void JournalChecker::on_record(const RecordView& record) {
  ENSURE(record.index == next(last_), "a record is missing or comes twice", record.index.value, last_.value);
  last_ = record.index;
  switch (static_cast<RecordType>(record.type)) {
    case RecordType::Submit: {
      // A repeated submission is a record too, and makes no task; it is never leased.
      const auto submit = read<SubmitRecord>(record.payload);
      Task& task = tasks_[TaskId{record.index.value}];
      task.type = submit.type;
      task.work = to_bytes(submit.work);
      break;
    }
    case RecordType::Node: {
      const auto node = read<NodeRecord>(record.payload);
      strict_types_.insert(node.strict_types.begin(), node.strict_types.end());
      break;
    }
    case RecordType::Lease:
      on_lease(read<LeaseRecord>(record.payload));
      break;
    case RecordType::Requeue:
      on_requeue(read<RequeueRecord>(record.payload));
      break;
    case RecordType::Result:
      on_result(read<ResultRecord>(record.payload));
      break;
    case RecordType::Cancel:
    case RecordType::Expire:
      on_final(read<TaskRecord>(record.payload).task);
      break;
    default:
      break;
  }
}

void JournalChecker::on_lease(const LeaseRecord& lease) {
  Task& task = tasks_.at(lease.task);
  check(!task.leased, "I8 one lease", "two of one run, ", to_text(lease.task), ", the second for attempt ",
        lease.attempt);
  check(lease.attempt > task.attempt, "I8 one lease", "attempt ", lease.attempt, " of ", to_text(lease.task),
        " comes after ", task.attempt);
  if (task.final) return;  // the leader chose before it learned that the task had ended; it changes nothing
  if (task.attempt == 0) submitted_once_.on_first_lease(task.work, lease.task);
  task.leased = true;
  task.attempt = lease.attempt;
  ++leases_;
}

void JournalChecker::on_requeue(const RequeueRecord& requeue) {
  Task& task = tasks_.at(requeue.task);
  if (task.final || requeue.attempt != task.attempt) return;
  task.leased = false;
  ++requeues_;
}

void JournalChecker::on_result(const ResultRecord& result) {
  const Task& task = tasks_.at(result.task);
  if (strict_types_.contains(task.type) && lease_of(result.task) != result.attempt) return;
  on_final(result.task);
}

void JournalChecker::on_final(TaskId id) {
  const auto found = tasks_.find(id);
  ENSURE(found != tasks_.end(), "an end of a task that never was", to_text(id));
  found->second.final = true;
  found->second.leased = false;
}

}  // namespace cidbus::sim
