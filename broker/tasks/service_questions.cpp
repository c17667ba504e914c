// Questions and cancellations, which any node may ask.
#include <algorithm>

#include "broker/tasks/task_service.h"

namespace cidbus {
namespace {

constexpr std::size_t info_row_bytes = 300;  // of a TaskInfo beside its payloads

std::size_t bytes_of(const TaskInfo& info) {
  return info_row_bytes + info.work.size() + info.result.size() + info.error.size() + info.key.size() +
         info.history.size();
}

}  // namespace

void TaskService::refuse(Peer peer, Refusal why, std::string_view reason,
                         std::chrono::milliseconds retry_after) {
  output_.send(peer, Refused{why, reason, retry_after});
}

// ---- cancel

void TaskService::on_cancel(Peer peer, const Cancel& cancel) {
  if (cancels_.size() + cancel.tasks.size() > limits_.cancels) {
    return refuse(peer, Refusal::Exhausted, "too many cancellations are on their way",
                  std::chrono::milliseconds(50));
  }
  CancelAsked asked{peer, cancel.request, 0, {}};
  const std::uint64_t number = ++last_cancel_;
  for (const TaskId id : cancel.tasks) {
    const TaskHandle task = state_->find(id);
    asked.answers.emplace_back(id, task == 0 ? CancelAnswer::Unknown : CancelAnswer::AlreadyFinal);
    if (task == 0 || is_final(state_->task(task).state)) continue;
    const LogIndex index = propose(RecordType::Cancel, TaskRecord{id}, Urgency::Now);
    cancels_.push({index, number, asked.answers.size() - 1});
    ++asked.open;
  }
  if (asked.open == 0) {
    output_.send(peer, CancelAnswers{cancel.request, std::move(asked.answers)});
  } else {
    cancels_asked_.emplace(number, std::move(asked));
  }
}

void TaskService::answer_cancels(LogIndex applied) {
  while (!cancels_.empty() && cancels_.front().index <= applied) {
    const CancelOnTheWay done = cancels_.front();
    cancels_.pop();
    const auto found = cancels_asked_.find(done.number);
    if (found == cancels_asked_.end()) continue;  // whoever asked is gone
    CancelAsked& asked = found->second;
    auto& [id, answer] = asked.answers[done.place];
    const TaskHandle task = state_->find(id);
    const bool cancelled = task == 0 || state_->task(task).state == TaskState::Cancelled;
    answer = cancelled ? CancelAnswer::Cancelled : CancelAnswer::AlreadyFinal;
    if (--asked.open > 0) continue;
    output_.send(asked.peer, CancelAnswers{asked.request, std::move(asked.answers)});
    cancels_asked_.erase(found);
  }
}

// ---- show and wait

void TaskService::on_task_query(Peer peer, const TaskQuery& query) {
  const bool waits = query.kind == TaskQuery::Kind::Wait;
  if (waits && waiters_.size() + query.tasks.size() > limits_.waiters) {
    return refuse(peer, Refusal::Exhausted, "too many questions wait for tasks",
                  std::chrono::milliseconds(1000));
  }
  TaskInfos answer{query.request, {}, {}, false};
  std::size_t bytes = 0;
  for (const TaskId id : query.tasks) {
    const TaskHandle task = state_->find(id);
    if (task == 0) {
      answer.unknown.push_back(id);
      continue;
    }
    if (waits && !is_final(state_->task(task).state)) {
      waiters_.emplace(id, peer, query.request);
      waiters_by_peer_.emplace(peer, id, query.request);
      continue;
    }
    TaskInfo info = state_->info(task);
    if (query.kind == TaskQuery::Kind::Logs) info.history = state_->history(task);
    if (!answer.tasks.empty() && bytes + bytes_of(info) > limits_.message_bytes) {
      answer.more = !waits;
      output_.send(peer, answer);
      answer = {query.request, {}, {}, false};
      bytes = 0;
    }
    bytes += bytes_of(info);
    answer.tasks.push_back(info);
  }
  const bool empty = answer.tasks.empty() && answer.unknown.empty();
  if (!waits || !empty) output_.send(peer, answer);
}

void TaskService::answer_waiters(TaskId id) {
  if (waiters_.empty()) return;
  for (auto waiter = waiters_.lower_bound({id, Peer::Nobody, RequestId{}});
       waiter != waiters_.end() && std::get<TaskId>(*waiter) == id;) {
    const auto [task, peer, request] = *waiter;
    turn_.waited.emplace_back(peer, request, task);
    waiters_by_peer_.erase({peer, task, request});
    waiter = waiters_.erase(waiter);
  }
}

void TaskService::send_waited() {
  std::sort(turn_.waited.begin(), turn_.waited.end());
  for (auto at = turn_.waited.begin(); at != turn_.waited.end();) {
    const auto [peer, request, first] = *at;
    TaskInfos answer{request, {}, {}, false};
    for (std::size_t bytes = 0; at != turn_.waited.end() && bytes < limits_.message_bytes; ++at) {
      if (std::get<Peer>(*at) != peer || std::get<RequestId>(*at) != request) break;
      const TaskHandle task = state_->find(std::get<TaskId>(*at));
      if (task == 0) {
        answer.unknown.push_back(std::get<TaskId>(*at));
        continue;
      }
      answer.tasks.push_back(state_->info(task));
      bytes += bytes_of(answer.tasks.back());
    }
    output_.send(peer, answer);
  }
  turn_.waited.clear();
}

void TaskService::forget_questions_of(Peer peer) {
  for (auto waiter = waiters_by_peer_.lower_bound({peer, TaskId{}, RequestId{}});
       waiter != waiters_by_peer_.end() && std::get<Peer>(*waiter) == peer;) {
    waiters_.erase({std::get<TaskId>(*waiter), peer, std::get<RequestId>(*waiter)});
    waiter = waiters_by_peer_.erase(waiter);
  }
  std::erase_if(turn_.waited, [&](const auto& waited) { return std::get<Peer>(waited) == peer; });
  std::erase_if(cancels_asked_, [&](const auto& asked) { return asked.second.peer == peer; });
}

// ---- list

void TaskService::on_task_list(Peer peer, const TaskList& list) {
  TaskInfos answer{list.request, {}, {}, false};
  RollQuery query{list.state, 0, list.before,
                  std::clamp<std::size_t>(list.limit, 1, limits_.items_a_message)};
  if (!list.type.empty()) {
    query.type = state_->types().find(list.type);
    if (query.type == 0) return output_.send(peer, answer);
  }
  const RollAnswer found = state_->list(query);
  answer.more = found.more;
  std::size_t bytes = 0;
  for (const TaskHandle task : found.tasks) {
    const TaskInfo info = state_->info(task);
    if (!answer.tasks.empty() && bytes + bytes_of(info) > limits_.message_bytes) {
      answer.more = true;
      break;
    }
    bytes += bytes_of(info);
    answer.tasks.push_back(info);
  }
  output_.send(peer, answer);
}

}  // namespace cidbus
