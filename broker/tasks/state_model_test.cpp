#include "broker/tasks/state_model.h"

#include <algorithm>

namespace cidbus::testing_tasks {

void Model::begin(std::uint64_t index, WallTime now) {
  index_ = index;
  now_ = now.milliseconds;
}

Model::Session* Model::find(const SessionId& id) {
  for (auto& [serial, session] : sessions) {
    if (session.id == id && !session.closing) return &session;
  }
  return nullptr;
}

void Model::open(const SessionId& id) {
  if (Session* session = find(id)) return contact(*session);
  Session& session = sessions[index_];
  session.id = id;
  session.contact = now_;
  session.contact_index = index_;
}

void Model::renew(const SessionId& id) {
  if (Session* session = find(id)) contact(*session);
}

void Model::close(const SessionId& id) {
  if (Session* session = find(id)) close(*session);
}

std::optional<std::pair<std::uint64_t, bool>> Model::submit(const SubmitRecord& record) {
  Session* session = find(record.session);
  if (session == nullptr) return std::nullopt;
  contact(*session);
  while (!session->window.empty() && session->window.begin()->first < record.low_water) {
    const auto task = session->window.begin()->second;
    session->window.erase(session->window.begin());
    session->low_water = std::max(session->low_water, record.low_water);
    settle(task);
  }
  session->low_water = std::max(session->low_water, record.low_water);
  if (record.seq < session->low_water) return std::nullopt;
  if (session->window.count(record.seq) != 0) return {{session->window[record.seq], true}};
  const Claim claim{serial_of(*session), record.seq, 0, false};
  for (auto& [id, task] : tasks) {
    if (!task.key_active || task.key != record.options.key) continue;
    task.claims.insert(task.claims.begin() + 1, claim);
    session->window[record.seq] = id;
    if (is_final(task.state)) grant(id, task.claims[1]);
    return {{id, true}};
  }
  Task& task = tasks[index_];
  task.type = record.type;
  task.work = as_text(record.work);
  task.key = record.options.key;
  task.key_active = !task.key.empty();
  task.submitted = now_;
  if (record.options.delay.count() > 0) task.not_before = now_ + record.options.delay.count();
  if (record.options.deadline.count() > 0) task.deadline = now_ + record.options.deadline.count();
  task.claims.push_back(claim);
  session->window[record.seq] = index_;
  return {{index_, false}};
}

void Model::lease(const LeaseRecord& record) {
  Task* task = find(record.task);
  if (task == nullptr || task->state != TaskState::Pending || record.attempt < task->attempts) return;
  task->state = TaskState::Assigned;
  task->attempts = record.attempt;
  task->node = record.node;
  task->started = now_;
}

void Model::requeue(const RequeueRecord& record) {
  Task* task = find(record.task);
  if (task == nullptr || task->state != TaskState::Assigned || record.attempt != task->attempts) return;
  task->state = TaskState::Pending;
  task->tries_used += record.costs_try ? 1 : 0;
  task->lost += is_lost(record.reason) ? 1 : 0;
  task->not_before = record.delay.count() > 0 ? now_ + record.delay.count() : 0;
  if (!record.error.empty()) task->error = record.error;
}

void Model::result(const ResultRecord& record) {
  Task* task = find(record.task);
  if (task == nullptr || is_final(task->state)) return;
  const bool completed = record.outcome == Outcome::Completed;
  task->attempts = std::max(task->attempts, record.attempt);
  if (record.node != 0) task->node = record.node;
  if (completed) task->result = as_text(record.result);
  task->error = completed ? "" : record.error;
  finish(record.task.value, completed ? TaskState::Completed : TaskState::Failed);
}

void Model::end(TaskId id, TaskState state) {
  Task* task = find(id);
  if (task != nullptr && !is_final(task->state)) finish(id.value, state);
}

void Model::ack(const ResultAckRecord& record) {
  Session* session = find(record.session);
  if (session == nullptr) return;
  contact(*session);
  while (!session->owed.empty() && session->owed.begin()->first <= record.cursor) drop_first(*session);
}

void Model::clear_away() {
  Session* oldest = nullptr;
  for (auto& [serial, session] : sessions) {
    if (session.closing) continue;
    if (oldest == nullptr || session.contact_index < oldest->contact_index) oldest = &session;
  }
  if (oldest != nullptr && oldest->contact + limits_.session_ttl.count() < now_) close(*oldest);
  if (!closing.empty()) {
    Session& session = sessions[closing.front()];
    for (int step = 0; step < 8 && !session.owed.empty(); ++step) drop_first(session);
    if (session.owed.empty()) {
      sessions.erase(closing.front());
      closing.erase(closing.begin());
    }
  }
  for (int step = 0; step < 4 && !keyed.empty(); ++step) {
    const auto id = keyed.front();
    if (tasks[id].finished + limits_.key_ttl.count() >= now_) break;
    keyed.pop_front();
    tasks[id].key_active = false;
    settle(id);
  }
  for (int step = 0; step < 32 && kept.size() > limits_.finished_kept; ++step) {
    tasks.erase(kept.front());
    kept.pop_front();
  }
}

Model::Task* Model::find(TaskId id) {
  const auto found = tasks.find(id.value);
  return found == tasks.end() ? nullptr : &found->second;
}

std::uint64_t Model::serial_of(const Session& wanted) {
  for (auto& [serial, session] : sessions) {
    if (&session == &wanted) return serial;
  }
  return 0;
}

void Model::contact(Session& session) {
  session.contact = now_;
  session.contact_index = index_;
  while (!session.owed.empty() &&
         tasks[session.owed.begin()->second.first].finished + limits_.result_ttl.count() < now_) {
    drop_first(session);
  }
}

void Model::drop_first(Session& session) {
  const auto [rseq, answer] = *session.owed.begin();
  session.cursor = rseq;
  session.owed.erase(session.owed.begin());
  settle(answer.first);
}

void Model::close(Session& session) {
  session.closing = true;
  while (!session.window.empty()) {
    const auto task = session.window.begin()->second;
    session.window.erase(session.window.begin());
    settle(task);
  }
  if (session.owed.empty()) {
    sessions.erase(serial_of(session));
  } else {
    closing.push_back(serial_of(session));
  }
}

void Model::finish(std::uint64_t id, TaskState state) {
  Task& task = tasks[id];
  task.state = state;
  task.finished = now_;
  if (task.key_active) keyed.push_back(id);
  for (Claim& claim : task.claims) grant(id, claim);
  settle(id);
}

void Model::grant(std::uint64_t id, Claim& claim) {
  const auto found = sessions.find(claim.session);
  if (claim.ended || found == sessions.end() || found->second.closing) return;
  claim.rseq = found->second.next_rseq++;
  found->second.owed[claim.rseq] = {id, claim.seq};
}

void Model::settle(std::uint64_t id) {
  Task& task = tasks[id];
  if (!is_final(task.state) || task.kept) return;
  bool held = task.key_active;
  for (Claim& claim : task.claims) {
    const auto found = sessions.find(claim.session);
    const bool owed = found != sessions.end() && found->second.owed.count(claim.rseq) != 0 && claim.rseq != 0;
    const bool known = found != sessions.end() && found->second.window.count(claim.seq) != 0;
    claim.ended = !owed && !known;
    held = held || !claim.ended;
  }
  if (held) return;
  task.kept = true;
  kept.push_back(id);
}

}  // namespace cidbus::testing_tasks
