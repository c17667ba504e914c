#include "broker/tasks/state_machine.h"

#include <algorithm>

#include "shared/base/ensure.h"
#include "shared/base/promises.h"

namespace cidbus {
namespace {

// A record that does not decode is a damaged state, not bad luck: the journal has checked its sum.
template <typename Record>
Record read(ByteView payload) {
  Record record;
  ENSURE(decode(payload, record), "payload bytes", payload.size());
  return record;
}

}  // namespace

void StateMachine::apply(LogIndex index, WallTime time, RecordType type, ByteView payload, Changes& out) {
  ENSURE(index > tables_.applied, "index", index.value, "applied", tables_.applied.value);
  tables_.applied = index;
  tables_.time = std::max(tables_.time, time);
  out.applied = index;
  switch (type) {
    case RecordType::Open:
      on_open(payload);
      break;
    case RecordType::Node:
      on_node(payload, out);
      break;
    case RecordType::Handover:
      break;  // of the office, not of the tasks: the group counts it
    case RecordType::SessionOpen:
      on_session_open(payload, out);
      break;
    case RecordType::SessionRenew:
      on_session_renew(payload, out);
      break;
    case RecordType::SessionClose:
      on_session_close(payload, out);
      break;
    case RecordType::Submit:
      on_submit(payload, out);
      break;
    case RecordType::Lease:
      on_lease(payload, out);
      break;
    case RecordType::Requeue:
      on_requeue(payload, out);
      break;
    case RecordType::Result:
      on_result(payload, out);
      break;
    case RecordType::Cancel:
      on_cancel(payload, out);
      break;
    case RecordType::Expire:
      on_expire(payload, out);
      break;
    case RecordType::ResultAck:
      on_result_ack(payload, out);
      break;
    case RecordType::Name:
      tables_.catalogue.set(read<NameRecord>(payload), tables_.time);
      break;
    case RecordType::Propose:
      on_propose(payload, out);
      break;
    case RecordType::Vote:
      on_vote(payload, out);
      break;
    case RecordType::Decide:
      on_decide(payload, out);
      break;
    default:
      ENSURE(false, "record type", static_cast<int>(type));
  }
  clear_away(out);
}

// ---- configuration by vote

void StateMachine::on_propose(ByteView payload, Changes& out) {
  const auto record = read<ProposeRecord>(payload);
  tables_.config_digest.reset();
  const bool known = tables_.config.find_token(record.token) != nullptr;
  const std::uint64_t id = tables_.config.propose(record, tables_.time);
  out.of_config = true;
  out.list.push_back({.kind = ChangeKind::Proposed, .flag = known, .number = id});
}

void StateMachine::on_vote(ByteView payload, Changes& out) {
  const auto record = read<VoteRecord>(payload);
  tables_.config_digest.reset();
  const bool counted = tables_.config.vote(record) == ConfigBook::Answer::Counted;
  out.of_config = true;
  out.list.push_back({.kind = ChangeKind::Voted, .flag = !counted, .number = record.proposal});
}

void StateMachine::on_decide(ByteView payload, Changes& out) {
  const auto record = read<DecideRecord>(payload);
  tables_.config_digest.reset();
  if (!tables_.config.decide(record, tables_.time)) return;
  const bool accepted = record.status == ProposalStatus::Accepted;
  out.of_config = true;
  out.list.push_back({.kind = ChangeKind::Decided, .flag = accepted, .number = record.proposal});
  if (accepted) follow_config();
}

// What was never voted on stays as it was given: tests make these small.
void StateMachine::follow_config() {
  const auto& entries = tables_.config.entries();
  const ConfigValues values = tables_.config.values();
  if (entries.contains("key_ttl")) limits_.key_ttl = values.time(ConfigKey::KeyTtl);
  if (entries.contains("result_ttl")) limits_.result_ttl = values.time(ConfigKey::ResultTtl);
  if (entries.contains("finished_kept"))
    limits_.finished_kept = static_cast<std::size_t>(values.of(ConfigKey::FinishedKept));
}

// ---- tasks

void StateMachine::on_open(ByteView payload) {
  const auto record = read<OpenRecord>(payload);
  tables_.office = {record.epoch, std::string(record.leader), std::string(record.endpoint)};
}

void StateMachine::on_node(ByteView payload, Changes& out) {
  const auto record = read<NodeRecord>(payload);
  const NodeNumber known = tables_.nodes.find(record.name);
  if (known == 0) {
    const NodeNumber number = tables_.nodes.add(record.name);
    ENSURE(number == record.number, "node", record.name, "number", record.number, "next", number);
    tables_.sum += digest_of_node(number, record.name);
  } else {
    ENSURE(known == record.number, "node", record.name, "number", record.number, "known as", known);
  }
  for (const std::string_view type : record.types) {
    const TypeNumber number = type_number(type, out);
    if (!tables_.offered[number]) tables_.sum += digest_of_offer(number);
    tables_.offered[number] = true;
  }
  for (const std::string_view type : record.strict_types) {
    const TypeNumber number = type_number(type, out);
    if (!tables_.strict[number]) tables_.sum += digest_of_strict(number);
    tables_.strict[number] = true;
  }
}

TypeNumber StateMachine::type_number(std::string_view name, Changes& out) {
  if (const TypeNumber known = tables_.types.find(name); known != 0) return known;
  const TypeNumber number = tables_.types.add(name);
  tables_.offered.push_back(false);
  tables_.strict.push_back(false);
  tables_.sum += digest_of_type(number, name);
  out.list.push_back({.kind = ChangeKind::TypeAdded, .number = number});
  return number;
}

void StateMachine::on_submit(ByteView payload, Changes& out) {
  const auto record = read<SubmitRecord>(payload);
  const SessionHandle session = tables_.find_session(record.session);
  Change answer{.kind = ChangeKind::Accepted, .flag = true, .session = session, .number = record.seq};
  if (session != 0) {
    contact(session, out);
    raise_low_water(session, record.low_water);
  }
  if (session == 0 || record.seq < tables_.sessions[session].low_water) {
    answer.kind = ChangeKind::Expired;
    answer.session = static_cast<SessionHandle>(out.sessions.size());
    answer.id = TaskId{tables_.applied.value};
    out.sessions.push_back(record.session);
    out.list.push_back(answer);
    return;
  }
  const ClaimHandle repeated = tables_.window_claim(tables_.sessions[session], record.seq);
  ClaimHandle echo = 0;
  if (repeated != 0) {
    answer.task = tables_.task_of(repeated);
  } else if (const TaskHandle same = record.options.key.empty() ? 0 : tables_.find_key(record.options.key)) {
    echo = add_echo(same, session, record.seq);
    answer.task = same;
  } else {
    answer.task = create_task(record, session, out);
    answer.flag = false;
  }
  answer.id = tables_.tasks[answer.task].id;
  out.list.push_back(answer);
  if (!answer.flag) out.list.push_back({.kind = ChangeKind::Queued, .task = answer.task, .id = answer.id});
  if (echo != 0 && is_final(tables_.tasks[answer.task].state)) grant(echo, out);
}

TaskHandle StateMachine::create_task(const SubmitRecord& record, SessionHandle session, Changes& out) {
  const TypeNumber type = type_number(record.type, out);
  const TaskHandle task = tables_.add_task();
  TaskSlot& slot = tables_.tasks[task];
  SessionSlot& owner = tables_.edit_session(session);
  slot.id = TaskId{tables_.applied.value};
  slot.submitted_at = tables_.time;
  slot.type = type;
  slot.priority = record.options.priority;
  slot.tries = record.options.tries;
  slot.claim.seq = record.seq;
  slot.claim.session = owner.ref;
  ++tables_.refs[owner.ref].claims;
  slot.work = tables_.arena.put(record.work);
  slot.work_size = static_cast<std::uint32_t>(record.work.size());
  slot.content = content_of(ContentKind::Work, record.work);
  set_rare_options(slot, task, record.options);
  tables_.by_id.insert(hash_run(slot.id.value), task);
  tables_.roll.enter(task);
  tables_.put_in_window(owner, record.seq, task);
  owner.high_seq = std::max(owner.high_seq, record.seq);
  if (tables_.watcher != nullptr) tables_.watcher->created_task(task);
  return task;
}

void StateMachine::set_rare_options(TaskSlot& slot, TaskHandle task, const TaskOptions& options) {
  const std::int64_t now = tables_.time.milliseconds;
  if (options.delay.count() > 0) tables_.make_rare(slot).not_before = now + options.delay.count();
  if (options.deadline.count() > 0) tables_.make_rare(slot).deadline = now + options.deadline.count();
  if (options.time_limit.count() > 0) tables_.make_rare(slot).time_limit = options.time_limit.count();
  if (options.backoff != TaskOptions{}.backoff) tables_.make_rare(slot).backoff = options.backoff.count();
  if (options.key.empty()) return;
  RareSlot& row = tables_.make_rare(slot);
  row.key = tables_.arena.put(as_bytes(options.key));
  row.key_size = static_cast<std::uint32_t>(options.key.size());
  slot.content += content_of(ContentKind::Key, options.key);
  slot.flags |= flag_key_active;
  tables_.by_key.insert(tables_.hash_key(options.key), task);
}

ClaimHandle StateMachine::add_echo(TaskHandle task, SessionHandle session, std::uint64_t seq) {
  TaskSlot& slot = tables_.edit_task(task);
  SessionSlot& owner = tables_.edit_session(session);
  RareSlot& row = tables_.rares[slot.rare];  // it has a key
  const Handle echo = tables_.echoes.take();
  EchoSlot& added = tables_.echoes[echo];
  added.task = task;
  added.next_echo = row.first_echo;
  added.claim.seq = seq;
  added.claim.session = owner.ref;
  tables_.sum += digest_of_echo(tables_, added);
  row.first_echo = echo;
  ++row.echoes;
  ++tables_.refs[owner.ref].claims;
  tables_.put_in_window(owner, seq, echo | echo_bit);
  owner.high_seq = std::max(owner.high_seq, seq);
  return echo | echo_bit;
}

void StateMachine::on_lease(ByteView payload, Changes& out) {
  const auto record = read<LeaseRecord>(payload);
  const TaskHandle task = tables_.find_task(record.task);
  if (task == 0 || tables_.tasks[task].state != TaskState::Pending) return;
  if (record.run != 0 || record.attempt < tables_.tasks[task].attempts) return;
  ENSURE(record.node <= tables_.nodes.size(), "node", record.node);
  TaskSlot& slot = tables_.edit_task(task);
  slot.state = TaskState::Assigned;
  slot.attempts = record.attempt;
  slot.node = record.node;
  slot.started_at = tables_.time;
  tables_.roll.set_state(slot, TaskState::Assigned);
  out.list.push_back({.kind = ChangeKind::Leased, .task = task, .id = slot.id});
}

void StateMachine::on_requeue(ByteView payload, Changes& out) {
  const auto record = read<RequeueRecord>(payload);
  const TaskHandle task = tables_.find_task(record.task);
  if (task == 0 || tables_.tasks[task].state != TaskState::Assigned) return;
  if (record.run != 0 || record.attempt != tables_.tasks[task].attempts) return;
  TaskSlot& slot = tables_.edit_task(task);
  slot.state = TaskState::Pending;
  if (record.costs_try && slot.tries_used < 0xff) ++slot.tries_used;
  if (is_lost(record.reason) && slot.lost < 0xff) ++slot.lost;
  if (record.delay.count() > 0) {
    tables_.make_rare(slot).not_before = (tables_.time + record.delay).milliseconds;
  } else if (slot.rare != 0) {
    tables_.rares[slot.rare].not_before = 0;
  }
  if (!record.error.empty()) tables_.set_error(slot, record.error);
  if (record.reason != RequeueReason::HandedBack || !record.log.empty()) {
    tables_.keep_attempt(slot, {record.attempt, slot.started_at, tables_.time, to_text(record.reason),
                                tables_.nodes.name(slot.node), record.error, record.log});
  }
  tables_.roll.set_state(slot, TaskState::Pending);
  out.list.push_back({.kind = ChangeKind::Queued, .flag = true, .task = task, .id = slot.id});
}

TaskHandle StateMachine::find_open(TaskId id, Changes& out) {
  const TaskHandle task = tables_.find_task(id);
  if (task != 0 && !is_final(tables_.tasks[task].state)) return task;
  out.list.push_back({.kind = ChangeKind::Stale, .number = id.value});
  return 0;
}

void StateMachine::on_result(ByteView payload, Changes& out) {
  const auto record = read<ResultRecord>(payload);
  const TaskHandle task = find_open(record.task, out);
  if (task == 0) return;
  const TaskSlot& open = tables_.tasks[task];
  const bool is_leased = open.state == TaskState::Assigned && open.attempts == record.attempt;
  if (is_strict(open.type) && !is_leased && keeps(Promise::StrictResult)) {
    out.list.push_back({.kind = ChangeKind::Stale, .number = record.task.value});
    return;
  }
  const bool completed = record.outcome == Outcome::Completed;
  TaskSlot& slot = tables_.edit_task(task);
  slot.attempts = std::max(slot.attempts, record.attempt);
  if (record.node != 0) slot.node = record.node;
  if (completed) {
    slot.result = tables_.arena.put(record.result);
    slot.result_size = static_cast<std::uint32_t>(record.result.size());
    slot.content += content_of(ContentKind::Result, record.result);
  }
  tables_.set_error(slot, completed ? std::string_view{} : record.error);
  if (!record.log.empty() || !record.error.empty()) {
    const WallTime started = is_leased ? slot.started_at : WallTime{};
    tables_.keep_attempt(slot, {record.attempt, started, tables_.time, to_text(record.outcome),
                                tables_.nodes.name(record.node), record.error, record.log});
  }
  finish(task, completed ? TaskState::Completed : TaskState::Failed, out);
}

void StateMachine::on_cancel(ByteView payload, Changes& out) {
  const auto record = read<TaskRecord>(payload);
  const TaskHandle task = tables_.find_task(record.task);
  if (task != 0 && !is_final(tables_.tasks[task].state)) finish(task, TaskState::Cancelled, out);
}

void StateMachine::on_expire(ByteView payload, Changes& out) {
  const auto record = read<TaskRecord>(payload);
  const TaskHandle task = tables_.find_task(record.task);
  if (task != 0 && !is_final(tables_.tasks[task].state)) finish(task, TaskState::Timeout, out);
}

void StateMachine::finish(TaskHandle task, TaskState state, Changes& out) {
  TaskSlot& slot = tables_.edit_task(task);
  slot.state = state;
  slot.finished_at = tables_.time;
  tables_.roll.set_state(slot, state);
  tables_.held_bytes += tables_.bytes_of(slot);
  if ((slot.flags & flag_key_active) != 0) {
    tables_.rares[slot.rare].finish_index = tables_.applied.value;
    tables_.append_keyed(task);
  }
  out.list.push_back({.kind = ChangeKind::Finished, .task = task, .id = slot.id, .state = state});
  grant(task, out);
  for (Handle echo = tables_.rare(slot).first_echo; echo != 0;) {
    const Handle next = tables_.echoes[echo].next_echo;
    grant(echo | echo_bit, out);
    settle(echo | echo_bit);
    echo = next;
  }
  settle(task);
}

// A finished task that nothing holds any more goes to the end of the kept list.
void StateMachine::keep_if_free(TaskHandle task) {
  const TaskSlot& slot = tables_.tasks[task];
  if (slot.claim.session != 0 || (slot.flags & (flag_key_active | flag_kept)) != 0) return;
  if (tables_.rare(slot).first_echo != 0) return;
  TaskSlot& kept = tables_.edit_task(task);
  kept.flags |= flag_kept;
  kept.claim.rseq = tables_.next_kept_place++;
  tables_.held_bytes -= tables_.bytes_of(kept);
  tables_.append_kept(task);
}

TaskInfo StateMachine::info(TaskHandle task) const {
  const TaskSlot& slot = tables_.tasks[task];
  const RareSlot& row = tables_.rare(slot);
  TaskInfo info;
  info.task = slot.id;
  info.type = tables_.types.name(slot.type);
  info.state = tables_.roll.state_at(slot.place);
  info.attempts = slot.attempts;
  info.priority = slot.priority;
  info.work = work(slot);
  info.result = result(slot);
  info.error = tables_.error(row);
  if (info.state == TaskState::Timeout) info.error = "its deadline passed before it was done";
  if (info.state == TaskState::Cancelled) info.error = "cancelled";
  info.submitted_at = slot.submitted_at;
  info.started_at = slot.started_at;
  info.finished_at = slot.finished_at;
  info.worker = tables_.nodes.name(slot.node);
  info.key = tables_.key(row);
  return info;
}

StateUsage StateMachine::usage() const {
  return {tables_.tasks.size() + tables_.echoes.size(), tables_.sessions.size(), tables_.held_bytes,
          tables_.window_bytes, tables_.memory_used()};
}

}  // namespace cidbus
