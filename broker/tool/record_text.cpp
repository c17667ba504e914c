#include "broker/tool/record_text.h"

#include <string_view>

#include "broker/cluster/config_records.h"
#include "broker/tasks/records.h"
#include "shared/base/time.h"
#include "shared/content/quote.h"

namespace cidbus {
namespace {

std::string field(std::string_view name, const std::string& value) {
  return " " + std::string(name) + "=" + value;
}
std::string field(std::string_view name, std::uint64_t value) { return field(name, std::to_string(value)); }
std::string quoted(std::string_view name, std::string_view value) {
  return value.empty() ? "" : field(name, in_quotes(value));
}

std::string attempt(TaskId task, std::uint8_t run, std::uint32_t attempt) {
  return field("task", to_text(task)) + field("run", run) + field("attempt", attempt);
}

std::string fields(const OpenRecord& open) {
  return field("epoch", open.epoch.value) + quoted("leader", open.leader) + quoted("endpoint", open.endpoint);
}
std::string fields(const HandoverRecord& handover) { return quoted("successor", handover.successor); }
std::string fields(const NodeRecord& node) {
  std::string types;
  for (const std::string_view type : node.types) types += (types.empty() ? "" : ",") + std::string(type);
  return field("number", node.number) + quoted("name", node.name) + quoted("types", types);
}
std::string fields(const SessionRecord& record) { return field("session", to_text(record.session)); }
std::string fields(const SubmitRecord& submit) {
  return field("session", to_text(submit.session)) + field("seq", submit.seq) + quoted("type", submit.type) +
         field("priority", submit.options.priority) + field("tries", submit.options.tries) +
         quoted("key", submit.options.key) + field("work_bytes", submit.work.size());
}
std::string fields(const LeaseRecord& lease) {
  return attempt(lease.task, lease.run, lease.attempt) + field("node", lease.node);
}
std::string fields(const RequeueRecord& requeue) {
  return attempt(requeue.task, requeue.run, requeue.attempt) + quoted("reason", to_text(requeue.reason)) +
         field("costs_try", requeue.costs_try ? 1 : 0) + quoted("error", requeue.error);
}
std::string fields(const ResultRecord& result) {
  return attempt(result.task, result.run, result.attempt) + quoted("outcome", to_text(result.outcome)) +
         field("node", result.node) + field("result_bytes", result.result.size()) +
         quoted("error", result.error);
}
std::string fields(const TaskRecord& record) { return field("task", to_text(record.task)); }
std::string fields(const ResultAckRecord& ack) {
  return field("session", to_text(ack.session)) + field("cursor", ack.cursor);
}

std::string fields(const NameRecord& record) {
  return quoted("name", record.name) + field("cid_bytes", record.cid.size()) +
         field("tags", record.tags.size());
}

std::string fields(const ProposeRecord& record) {
  return quoted("kind", to_text(record.kind)) + quoted("subject", record.subject) +
         field("value", std::to_string(record.value)) + quoted("proposer", record.proposer) +
         field("voters", record.voters.size());
}
std::string fields(const VoteRecord& record) {
  return field("proposal", record.proposal) + quoted("voter", record.voter) +
         field("yes", record.yes ? 1 : 0) + quoted("reason", record.reason);
}
std::string fields(const DecideRecord& record) {
  return field("proposal", record.proposal) + quoted("status", to_text(record.status));
}

template <typename Record>
std::string decoded(ByteView payload) {
  Record record;
  return decode(payload, record) ? fields(record) : field("undecoded_bytes", payload.size());
}

std::string fields_of(RecordType type, ByteView payload) {
  switch (type) {
    case RecordType::Open:
      return decoded<OpenRecord>(payload);
    case RecordType::Handover:
      return decoded<HandoverRecord>(payload);
    case RecordType::Node:
      return decoded<NodeRecord>(payload);
    case RecordType::SessionOpen:
    case RecordType::SessionRenew:
    case RecordType::SessionClose:
      return decoded<SessionRecord>(payload);
    case RecordType::Submit:
      return decoded<SubmitRecord>(payload);
    case RecordType::Lease:
      return decoded<LeaseRecord>(payload);
    case RecordType::Requeue:
      return decoded<RequeueRecord>(payload);
    case RecordType::Result:
      return decoded<ResultRecord>(payload);
    case RecordType::Cancel:
    case RecordType::Expire:
      return decoded<TaskRecord>(payload);
    case RecordType::ResultAck:
      return decoded<ResultAckRecord>(payload);
    case RecordType::Name:
      return decoded<NameRecord>(payload);
    case RecordType::Propose:
      return decoded<ProposeRecord>(payload);
    case RecordType::Vote:
      return decoded<VoteRecord>(payload);
    case RecordType::Decide:
      return decoded<DecideRecord>(payload);
    default:  // a number on disk may be of a later build
      return field("undecoded_bytes", payload.size());
  }
}

}  // namespace

std::string to_text(const RecordView& record, Epoch epoch) {
  const auto type = static_cast<RecordType>(record.type);
  const std::string_view name = to_text(type);
  std::string line = std::to_string(record.index.value) + field("epoch", epoch.value) +
                     field("time", to_rfc3339(record.time)) + " ";
  line += name == "unknown" ? "type-" + std::to_string(record.type) : std::string(name);
  return line + fields_of(type, record.payload);
}

}  // namespace cidbus
