#include "shared/wire/values.h"

#include "shared/base/ensure.h"
#include "shared/base/limits/tasks.h"
#include "shared/base/limits/words.h"

namespace cidbus::wire {
namespace {

std::uint64_t count_of(std::chrono::milliseconds duration) {
  return duration.count() < 0 ? 0 : static_cast<std::uint64_t>(duration.count());
}

capnp::Data::Reader data_of(ByteView bytes) { return {bytes.data(), bytes.size()}; }

}  // namespace

void put(schema::Attempt::Builder out, const AttemptId& attempt) {
  out.setTask(attempt.task.value);
  out.setRun(attempt.run);
  out.setAttempt(attempt.attempt);
  out.setEpoch(attempt.epoch.value);
}

AttemptId get(schema::Attempt::Reader in) {
  return {TaskId{in.getTask()}, in.getRun(), in.getAttempt(), Epoch{in.getEpoch()}};
}

void put(schema::TaskOptions::Builder out, const TaskOptions& options) {
  out.setPriority(options.priority);
  out.setTries(options.tries);
  out.setDelayMs(count_of(options.delay));
  out.setDeadlineMs(count_of(options.deadline));
  out.setTimeLimitMs(count_of(options.time_limit));
  out.setBackoffMs(count_of(options.backoff));
  if (!options.key.empty()) out.setKey(text_of(options.key));
}

TaskOptions get(schema::TaskOptions::Reader in, Checks& checks) {
  TaskOptions options;
  options.priority = in.getPriority();
  options.tries = in.getTries();
  checks.require(options.priority <= 9, "a priority above 9");
  checks.require(options.tries >= 1 && options.tries <= limits::tries_max, "tries not from 1 to 100");
  options.delay = checks.milliseconds(in.getDelayMs());
  options.deadline = checks.milliseconds(in.getDeadlineMs());
  options.time_limit = checks.milliseconds(in.getTimeLimitMs());
  options.backoff = checks.milliseconds(in.getBackoffMs());
  options.key = checks.text(in.getKey(), limits::key_length, "a key over 256 bytes");
  return options;
}

void put(schema::TaskInfo::Builder out, const TaskInfo& info) {
  out.setTask(info.task.value);
  out.setType(text_of(info.type));
  out.setState(static_cast<schema::TaskState>(info.state));
  out.setAttempts(info.attempts);
  out.setPriority(info.priority);
  if (!info.work.empty()) out.setWork(data_of(info.work));
  if (!info.result.empty()) out.setResult(data_of(info.result));
  if (!info.error.empty()) out.setError(text_of(info.error));
  out.setSubmittedAt(info.submitted_at.milliseconds);
  out.setStartedAt(info.started_at.milliseconds);
  out.setFinishedAt(info.finished_at.milliseconds);
  if (!info.worker.empty()) out.setWorker(text_of(info.worker));
  if (!info.key.empty()) out.setKey(text_of(info.key));
  if (!info.history.empty()) out.setHistory(data_of(info.history));
}

TaskInfo get(schema::TaskInfo::Reader in, Checks& checks) {
  TaskInfo info;
  info.task = {in.getTask()};
  info.type = checks.name(in.getType(), "a task type that is not a name");
  info.state = checks.pick(in.getState(), TaskState::Timeout, "an unknown task state");
  info.attempts = in.getAttempts();
  info.priority = in.getPriority();
  info.work = checks.data(in.getWork(), limits::payload_bytes, "a task over its size limit");
  info.result = checks.data(in.getResult(), limits::result_bytes, "a result over its size limit");
  info.error = checks.text(in.getError(), limits::text_length, "an error over 4096 bytes");
  info.submitted_at = {in.getSubmittedAt()};
  info.started_at = {in.getStartedAt()};
  info.finished_at = {in.getFinishedAt()};
  info.worker = checks.name(in.getWorker(), "a worker that is not a name");
  info.key = checks.text(in.getKey(), limits::key_length, "a key over 256 bytes");
  info.history = checks.data(in.getHistory(), limits::history_bytes, "a task's history over its size limit");
  return info;
}

void put(schema::NodeLoad::Builder out, const NodeLoad& load) {
  out.setSlots(load.slots);
  out.setBusy(load.busy);
  out.setBlocks(load.blocks);
  out.setBlockBytes(load.block_bytes);
  out.setDiskFreeBytes(load.disk_free_bytes);
  out.setResidentBytes(load.resident_bytes);
  out.setConfigVersion(load.config_version);
}

NodeLoad get(schema::NodeLoad::Reader in) {
  return {in.getSlots(),         in.getBusy(),          in.getBlocks(),       in.getBlockBytes(),
          in.getDiskFreeBytes(), in.getResidentBytes(), in.getConfigVersion()};
}

void put(schema::Member::Builder out, const Member& member) {
  out.setName(text_of(member.name));
  out.setRole(static_cast<schema::Role>(member.role));
  out.setState(static_cast<schema::MemberState>(member.state));
  out.setIncarnation(member.incarnation.value);
  if (!member.exchange.empty()) out.setExchange(text_of(member.exchange));
  put(out.initLoad(), member.load);
  out.setJoinedAt(member.joined_at.milliseconds);
  out.setLastSeen(member.last_seen.milliseconds);
  if (!member.labels.empty()) put(out.initLabels(static_cast<unsigned>(member.labels.size())), member.labels);
}

Member get(schema::Member::Reader in, Checks& checks) {
  Member member;
  member.name = checks.name(in.getName(), "a member's name that is not a name");
  member.role = checks.pick(in.getRole(), Role::Client, "an unknown role");
  member.state = checks.pick(in.getState(), MemberState::Dead, "an unknown member state");
  member.incarnation = {in.getIncarnation()};
  member.exchange = checks.endpoint(in.getExchange());
  member.load = get(in.getLoad());
  member.joined_at = {in.getJoinedAt()};
  member.last_seen = {in.getLastSeen()};
  member.labels = get(in.getLabels(), checks);
  return member;
}

void put(schema::NodeAddress::Builder out, const NodeAddress& address) {
  out.setName(text_of(address.name));
  out.setEndpoint(text_of(address.endpoint));
}

NodeAddress get(schema::NodeAddress::Reader in, Checks& checks) {
  return {checks.name(in.getName(), "a node's name that is not a name"), checks.endpoint(in.getEndpoint())};
}

void put(schema::BrokerInfo::Builder out, const BrokerInfo& broker) {
  out.setName(text_of(broker.name));
  out.setEndpoint(text_of(broker.endpoint));
  out.setLeader(broker.leader);
  out.setEpoch(broker.epoch.value);
  out.setLast(broker.last.value);
  out.setDurable(broker.durable.value);
  out.setCommit(broker.commit.value);
  out.setApplied(broker.applied.value);
}

BrokerInfo get(schema::BrokerInfo::Reader in, Checks& checks) {
  BrokerInfo broker;
  broker.name = checks.name(in.getName(), "a broker's name that is not a name");
  broker.endpoint = checks.endpoint(in.getEndpoint());
  broker.leader = in.getLeader();
  broker.epoch = {in.getEpoch()};
  broker.last = {in.getLast()};
  broker.durable = {in.getDurable()};
  broker.commit = {in.getCommit()};
  broker.applied = {in.getApplied()};
  return broker;
}

}  // namespace cidbus::wire
