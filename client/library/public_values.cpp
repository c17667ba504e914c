#include "client/library/public_values.h"

#include "shared/base/ensure.h"
#include "shared/content/quote.h"
#include "shared/io/bus_link.h"

namespace cidbus::v1 {
namespace {

// The enums are the same, in the same order, so that a number is enough.
static_assert(static_cast<int>(FaultKind::TimedOut) == static_cast<int>(cidbus::FaultKind::TimedOut));
static_assert(static_cast<int>(FaultKind::NotAllowed) == static_cast<int>(cidbus::FaultKind::NotAllowed));
static_assert(static_cast<int>(FaultKind::TryAgain) == static_cast<int>(cidbus::FaultKind::TryAgain));
static_assert(static_cast<int>(FaultKind::Unavailable) == static_cast<int>(cidbus::FaultKind::Unavailable));
static_assert(static_cast<int>(FaultKind::NotFound) == static_cast<int>(cidbus::FaultKind::NotFound));
static_assert(static_cast<int>(FaultKind::BadData) == static_cast<int>(cidbus::FaultKind::BadData));
static_assert(static_cast<int>(FaultKind::BadUsage) == static_cast<int>(cidbus::FaultKind::BadUsage));
static_assert(static_cast<int>(TaskState::Processing) == static_cast<int>(cidbus::TaskState::Processing));
static_assert(static_cast<int>(TaskState::Completed) == static_cast<int>(cidbus::TaskState::Completed));
static_assert(static_cast<int>(TaskState::Cancelled) == static_cast<int>(cidbus::TaskState::Cancelled));
static_assert(static_cast<int>(TaskState::Timeout) == static_cast<int>(cidbus::TaskState::Timeout));
static_assert(cidbus::task_state_count == 7);

WallTime to_public(cidbus::WallTime time) { return WallTime(std::chrono::milliseconds(time.milliseconds)); }

// What a task took as an input or gave as a result and is no CID is left out: it never was content.
std::vector<Cid> to_public(const std::vector<std::string>& texts) {
  std::vector<Cid> cids;
  for (const std::string& text : texts) {
    if (auto cid = Cid::parse(text)) cids.push_back(*std::move(cid));
  }
  return cids;
}

}  // namespace

Result<Cid> Cid::parse(std::string_view text) {
  const auto cid = cidbus::Cid::parse(text);
  if (!cid) return to_public(cid.error());
  return Cid(to_text(*cid));
}

Result<TaskId> TaskId::parse(std::string_view text) {
  const auto id = parse_task_id(text);
  if (!id) return Fault{FaultKind::BadUsage, in_quotes(text) + " is no task id; ids look like t4kq7"};
  return TaskId(id->value);
}

std::string TaskId::text() const { return cidbus::to_text(cidbus::TaskId{number_}); }

std::string_view to_text(TaskState state) { return cidbus::to_text(static_cast<cidbus::TaskState>(state)); }

Fault to_public(const cidbus::Fault& fault) { return {static_cast<FaultKind>(fault.kind), fault.message}; }

cidbus::Fault to_internal(const Fault& fault) {
  return {static_cast<cidbus::FaultKind>(fault.kind), fault.message};
}

Status to_public(const cidbus::Status& status) {
  if (!status) return to_public(status.error());
  return {};
}

cidbus::Status to_internal(const Status& status) {
  if (!status) return tl::unexpected(to_internal(status.error()));
  return {};
}

Cid to_public(const cidbus::Cid& cid) { return Cid::parse(cidbus::to_text(cid)).value(); }

cidbus::Cid to_internal(const Cid& cid) {
  auto parsed = cidbus::Cid::parse(cid.text());
  ENSURE(parsed.has_value(), "cid", cid.text());  // a Cid is made by parse() alone
  return *std::move(parsed);
}

Task to_public(const cidbus::TaskRecord& record) {
  Task task;
  task.id = TaskId(record.id.value);
  task.type = record.type;
  task.state = static_cast<TaskState>(record.state);
  task.attempts = record.attempts;
  task.inputs = to_public(record.inputs);
  task.result = {to_public(record.cids), record.values};
  task.error = record.error;
  task.worker = record.worker;
  task.key = record.key;
  task.traceparent = record.traceparent;
  task.submitted_at = to_public(record.submitted_at);
  task.started_at = to_public(record.started_at);
  task.finished_at = to_public(record.finished_at);
  return task;
}

Status check_cluster(const std::vector<std::string>& brokers, const std::string& cluster) {
  std::string list;
  for (const std::string& broker : brokers) list += (list.empty() ? "" : ",") + broker;
  if (const auto parsed = parse_addresses(list); !parsed) return to_public(parsed.error());
  if (is_valid_name(cluster)) return {};
  return Fault{FaultKind::BadUsage,
               in_quotes(cluster) + " cannot name a cluster; use 1 to 64 of A-Z a-z 0-9 . _ -"};
}

}  // namespace cidbus::v1
