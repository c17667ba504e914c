// Workers: hello, credit, dispatch, leases, completion (CONSENSUS W1 to W5).
#include <algorithm>
#include <utility>

#include "broker/tasks/task_service.h"
#include "shared/base/ensure.h"
#include "shared/base/limits/tasks.h"
#include "shared/base/limits/times.h"
#include "shared/base/limits/words.h"
#include "shared/base/promises.h"

namespace cidbus {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t leases_a_tick = 4096;  // expired in one turn
constexpr std::uint32_t longest_turn = 64;   // tasks a worker gets before the next of its group

std::string_view cut(std::string_view text) { return text.substr(0, limits::text_length); }

}  // namespace

// ---- hello and goodbye

bool TaskService::has_room_for(std::string_view worker) const {
  return workers_.find(worker) != 0 || workers_.count() < limits::workers;
}

void TaskService::on_hello(Now now, Peer peer, std::string_view name, Role role, const Hello& hello) {
  ENSURE(state_ != nullptr);
  if (role != Role::Worker) return;
  const NodeNumber number = workers_.number_of(name);
  ENSURE(number != 0, "worker", name);
  if (number <= state_->nodes().size() && !workers_[number].greeted && ungreeted_ > 0 && --ungreeted_ == 0) {
    hold_until_ = now.monotonic;
  }
  introduce(number, name, hello);
  hello_from_worker(now, number, peer, hello);
}

// A record says the worker's number and types, when the state does not know them all.
void TaskService::introduce(NodeNumber number, std::string_view name, const Hello& hello) {
  const bool is_known = state_->nodes().find(name) != 0 || workers_[number].greeted;
  if (is_known && knows_types(hello)) return;
  NodeRecord record{number, name, hello.task_types, hello.strict_types};
  if (state_->types().size() + record.types.size() > limits::task_types) {
    std::erase_if(record.types, [&](std::string_view type) { return state_->types().find(type) == 0; });
  }
  std::erase_if(record.strict_types, [&](std::string_view type) {
    return std::find(record.types.begin(), record.types.end(), type) == record.types.end();
  });
  declared_strict_.insert(record.strict_types.begin(), record.strict_types.end());
  propose(RecordType::Node, record, Urgency::Now);
}

bool TaskService::knows_types(const Hello& hello) const {
  const NameTable& types = state_->types();
  const auto is_offered = [&](std::string_view type) { return state_->is_offered(types.find(type)); };
  const auto is_known_strict = [&](std::string_view type) { return state_->is_strict(types.find(type)); };
  return std::all_of(hello.task_types.begin(), hello.task_types.end(), is_offered) &&
         std::all_of(hello.strict_types.begin(), hello.strict_types.end(), is_known_strict);
}

bool TaskService::is_strict(TypeNumber type) const {
  return state_->is_strict(type) ||
         (!declared_strict_.empty() && declared_strict_.contains(state_->types().name(type)));
}

// W4: what it runs is confirmed or taken back into a lease; what it does not list is given to others.
void TaskService::hello_from_worker(Now now, NodeNumber number, Peer peer, const Hello& hello) {
  workers_.connect(number, peer, {hello.task_types.begin(), hello.task_types.end()}, state_->types());
  workers_.set_slots(number, hello.load.slots);
  for (Handle lease = workers_[number].leases.first; lease != 0; lease = leases_[lease].next) {
    leases_[lease].confirmed = false;
  }
  for (const AttemptId& attempt : hello.running) reclaim_attempt(now, number, attempt);
  requeue_all_of(number, RequeueReason::NotRunning, true);
}

void TaskService::reclaim_attempt(Now now, NodeNumber worker, const AttemptId& attempt) {
  const TaskHandle task = state_->find(attempt.task);
  if (task == 0 || is_final(state_->task(task).state)) {
    turn_.revokes.emplace_back(worker, attempt);  // it need not go on with what is done
    return;
  }
  if (const Handle lease = current_lease(worker, attempt); lease != 0) {
    leases_[lease].confirmed = true;
    leases_[lease].epoch = attempt.epoch;
    leases_.renew(lease, now.monotonic);
    return;
  }
  // A lease that the last leader had not committed: nobody else has had the attempt, so it goes on.
  const TaskSlot& slot = state_->task(task);
  if (attempt.run != 0 || attempt.attempt <= slot.attempts || !positions_.is_queued(task)) return;
  backlog_.remove(task, slot.type);
  const Handle lease = add_lease(now, task, attempt.attempt, worker);
  leases_[lease].confirmed = true;
  leases_[lease].epoch = attempt.epoch;
  propose(RecordType::Lease, LeaseRecord{slot.id, 0, attempt.attempt, worker}, Urgency::Lazy);
}

void TaskService::on_worker_lost(Now, std::string_view name) {
  const NodeNumber number = workers_.find(name);
  if (number == 0) return;
  workers_.disconnect(number);
  requeue_all_of(number, RequeueReason::WorkerLost, false);
}

// Not the strict attempts that it may have begun: they are over when it says so, or at their deadline.
void TaskService::requeue_all_of(NodeNumber worker, RequeueReason reason, bool only_unconfirmed) {
  for (Handle handle = workers_[worker].leases.first; handle != 0; handle = leases_[handle].next) {
    Lease& lease = leases_[handle];
    if (!only_unconfirmed || !lease.confirmed) end_expected(lease);
    if (lease.strict && lease.dispatched) continue;
    if (!lease.ending && !(only_unconfirmed && lease.confirmed)) requeue_lost(handle, reason);
    leases_[handle].dispatched = true;  // the credit it has taken went with the connection
  }
}

// An attempt that ended with its worker costs no try, since the task may be innocent; but only so often.
void TaskService::requeue_lost(Handle handle, RequeueReason reason) {
  const Lease& lease = leases_[handle];
  const TaskSlot& slot = state_->task(lease.task);
  const std::int64_t most = config_.of(ConfigKey::LostAttemptsMost);
  if (slot.lost + 1 < most) {
    propose_requeue(handle, reason, false, milliseconds(0), {});
    return;
  }
  const std::string error = "lost with its worker " + std::to_string(most) + " times";
  const ResultRecord record{lease.id, 0, lease.attempt, Outcome::Failed, lease.worker, {}, error, {}};
  leases_.mark_ending(handle, propose(RecordType::Result, record, Urgency::Now));
}

LogIndex TaskService::propose_requeue(Handle handle, RequeueReason reason, bool costs_try, milliseconds delay,
                                      std::string_view error, ByteView log) {
  const Lease& lease = leases_[handle];
  const RequeueRecord record{lease.id, 0, lease.attempt, reason, costs_try, delay, cut(error), log};
  const LogIndex index = propose(RecordType::Requeue, record, Urgency::Now);
  leases_.mark_ending(handle, index);
  return index;
}

// ---- leases

Handle TaskService::add_lease(Now now, TaskHandle task, std::uint32_t attempt, NodeNumber worker) {
  const TaskSlot& slot = state_->task(task);
  const Handle handle = leases_.add(task, slot.id, attempt, worker, workers_[worker].leases,
                                    is_strict(slot.type), now.monotonic);
  Lease& lease = leases_[handle];
  lease.epoch = epoch_;
  lease.expects = run_times_.of(slot.type);
  lease.expected = true;
  workers_.add_expected(worker, lease.expects);
  return handle;
}

// The worker has told its end, or does not have it any more.
void TaskService::end_expected(Lease& lease) {
  if (!std::exchange(lease.expected, false)) return;
  workers_.end_expected(lease.worker, lease.expects);
}

void TaskService::set_slots(std::string_view name, std::uint32_t slots) {
  if (const NodeNumber number = workers_.find(name); number != 0) workers_.set_slots(number, slots);
}

void TaskService::expire_leases(Now now) {
  for (std::size_t step = 0; step < leases_a_tick; ++step) {
    const Handle lease = leases_.first();
    if (lease == 0 || leases_[lease].deadline > now.monotonic) return;
    requeue_lost(lease, RequeueReason::LeaseExpired);
  }
  more_ = true;
}

NodeNumber TaskService::worker_of(Peer peer) {
  const NodeNumber worker = workers_.find(peer);
  if (worker == 0) refuse(peer, Refusal::NotKnown, "say hello as a worker first");
  return worker;
}

// The lease this attempt is about, if it is this worker's and not over; 0 otherwise.
Handle TaskService::current_lease(NodeNumber worker, const AttemptId& attempt) {
  return current_lease(worker, attempt, state_->find(attempt.task));
}

Handle TaskService::current_lease(NodeNumber worker, const AttemptId& attempt, TaskHandle task) {
  const Handle lease = task == 0 || attempt.run != 0 ? 0 : positions_.lease_of(task);
  if (lease == 0 || leases_[lease].worker != worker || leases_[lease].attempt != attempt.attempt) return 0;
  return lease;
}

void TaskService::on_renew(Now now, Peer peer, const Renew& renew) {
  const NodeNumber worker = worker_of(peer);
  if (worker == 0) return;
  Renewed answer;
  answer.number = renew.number;
  for (const AttemptId& attempt : renew.attempts) {
    const Handle lease = current_lease(worker, attempt);
    if (lease == 0 || (leases_[lease].ending && !leases_[lease].told)) {
      answer.lost.push_back(attempt);
      continue;
    }
    answer.attempts.push_back(attempt);
    leases_[lease].epoch = attempt.epoch;
    leases_.renew(lease, now.monotonic);
    if (!leases_[lease].ending) set_processing(lease);
  }
  output_.send(peer, answer);
}

void TaskService::on_progress(Peer peer, const Progress& progress) {
  const NodeNumber worker = worker_of(peer);
  if (worker == 0) return;
  const Handle lease = current_lease(worker, progress.attempt);
  if (lease == 0) return;
  Lease& held = leases_[lease];
  run_times_.goes_on(state_->task(held.task).type);
  if (held.expected && held.expects < RunTimes::ahead) {
    // It has run for so long already, whatever others of its type take: its slot has no room for more.
    workers_.end_expected(worker, held.expects);
    held.expects = RunTimes::ahead;
    workers_.add_expected(worker, held.expects);
  }
  set_processing(lease);
}

// The state can be marked once its LEASE is applied; on_leased() comes back for the others.
void TaskService::set_processing(Handle handle) {
  Lease& lease = leases_[handle];
  const TaskSlot& slot = state_->task(lease.task);
  lease.processing = true;
  if (slot.state != TaskState::Assigned) return;
  if (state_->tables().roll.state_at(slot.place) == TaskState::Processing) return;
  state_->mark_processing(lease.task);
  tell(lease.task, TaskState::Processing);
}

// ---- completion

void TaskService::on_complete(Now now, Peer peer, const Complete& complete) {
  const NodeNumber worker = worker_of(peer);
  if (worker == 0) return;
  for (const CompleteItem& item : complete.items) complete_one(now, worker, item);
}

// W5: any attempt's result counts while the run is open; the first one wins when it is applied. Of a strict
// type only the attempt with the lease counts. An end that is told again while its record is on the way is
// answered once that is applied.
void TaskService::complete_one(Now now, NodeNumber worker, const CompleteItem& item) {
  const bool is_result = item.outcome == Outcome::Completed || item.outcome == Outcome::Failed;
  const TaskHandle task = state_->find(item.attempt.task);
  const bool is_open = task != 0 && !is_final(state_->task(task).state) && item.attempt.run == 0;
  const Handle lease = is_open ? current_lease(worker, item.attempt, task) : 0;
  const bool needs_lease = task != 0 && is_strict(state_->task(task).type) && keeps(Promise::StrictResult);
  const bool may_count = is_open && (lease != 0 || (is_result && !needs_lease));
  if (!may_count) {
    metrics_.stale.add(is_result ? 1 : 0);
    return acknowledge(worker, item.attempt);
  }
  const bool told_before =
      lease != 0 ? leases_[lease].told : late_results_.contains({item.attempt.task, worker});
  if (told_before || workers_[worker].completing >= limits::tasks_a_worker) return;  // it tells again
  const bool ran = item.outcome != Outcome::HandedBack && item.outcome != Outcome::Cancelled;
  if (ran) run_times_.ended(state_->task(task).type, item.elapsed);
  if (is_result) {
    measure_result(now, item, lease);
    return propose_result(worker, item, lease);
  }
  complete_other(worker, item, task, lease);
}

void TaskService::remember_completion(LogIndex index, NodeNumber worker, const AttemptId& attempt,
                                      Handle lease) {
  completions_.push({index, worker, attempt, lease == 0});
  ++workers_[worker].completing;
  if (lease == 0) {
    late_results_.emplace(attempt.task, worker);
  } else {
    leases_[lease].told = true;
    end_expected(leases_[lease]);
  }
}

void TaskService::settle_completions(LogIndex applied) {
  while (!completions_.empty() && completions_.front().index <= applied) {
    const CompletionOnTheWay& done = completions_.front();
    --workers_[done.worker].completing;
    if (done.late) late_results_.erase({done.attempt.task, done.worker});
    acknowledge(done.worker, done.attempt);
    completions_.pop();
  }
}

void TaskService::complete_other(NodeNumber worker, const CompleteItem& item, TaskHandle task,
                                 Handle handle) {
  if (leases_[handle].ending) return acknowledge(worker, item.attempt);
  LogIndex index;
  if (item.outcome == Outcome::Retry || item.outcome == Outcome::TimedOut) {
    const TaskSlot& slot = state_->task(task);
    if (slot.tries_used + 1 >= slot.tries) return propose_result(worker, item, handle);
    const auto most = static_cast<std::uint64_t>(config_.of(ConfigKey::RetryBackoffMost));
    const unsigned doublings = std::min<unsigned>(slot.tries_used, 40);
    const auto first = static_cast<std::uint64_t>(std::max<std::int64_t>(state_->rare(task).backoff, 0));
    const std::uint64_t whole = first > (most >> doublings) ? most : first << doublings;
    const milliseconds delay(chance_.between(whole / 2, whole));
    const auto reason = item.outcome == Outcome::Retry ? RequeueReason::Retry : RequeueReason::TimedOut;
    index = propose_requeue(handle, reason, true, delay, item.error, item.log);
  } else {
    index = propose_requeue(handle, RequeueReason::HandedBack, false, milliseconds(0), item.error, item.log);
    if (item.outcome == Outcome::HandedBack)
      workers_.drop_credit(worker);  // it goes: it would hand back more
  }
  remember_completion(index, worker, item.attempt, handle);
}

void TaskService::propose_result(NodeNumber worker, const CompleteItem& item, Handle lease) {
  const ResultRecord record{item.attempt.task, 0,           item.attempt.attempt,
                            item.outcome,      worker,      item.elapsed,
                            cut(item.error),   item.result, item.log};
  const LogIndex index = propose(RecordType::Result, record, Urgency::Now);
  remember_completion(index, worker, item.attempt, lease);
  if (lease != 0) leases_.mark_ending(lease, index);
}

void TaskService::acknowledge(NodeNumber number, const AttemptId& attempt) {
  Worker& worker = workers_[number];
  if (worker.peer == Peer::Nobody) return;  // it will tell again, and be told then
  if (TurnLists::append(turn_.acks, worker.acks_first, worker.acks_last, attempt)) {
    turn_.ack_workers.push_back(number);
  }
}

// No worker waits for them: they leave with what wakes workers anyway, or soon.
void TaskService::send_complete_acks(Now now, bool others_leave) {
  if (turn_.acks.empty()) return;
  turn_.acks_at = std::min(turn_.acks_at, now.monotonic + limits_.acks_within);
  if (!others_leave && turn_.acks.size() < limits_.acks_held && now.monotonic < turn_.acks_at) return;
  turn_.acks_at = Monotonic::max();
  auto& message = std::get<CompleteAck>(turn_.ack_message);
  for (const NodeNumber number : turn_.ack_workers) {
    Worker& worker = workers_[number];
    message.attempts.clear();
    for (std::uint32_t place = worker.acks_first; place != 0; place = turn_.acks[place - 1].next) {
      message.attempts.push_back(turn_.acks[place - 1].item);
      if (message.attempts.size() < limits_.items_a_message) continue;
      if (worker.peer != Peer::Nobody) output_.send(worker.peer, turn_.ack_message);
      message.attempts.clear();
    }
    if (!message.attempts.empty() && worker.peer != Peer::Nobody)
      output_.send(worker.peer, turn_.ack_message);
    worker.acks_first = worker.acks_last = 0;
  }
  turn_.acks.clear();
  turn_.ack_workers.clear();
}

void TaskService::send_revokes() {
  if (turn_.revokes.empty()) return;
  std::sort(turn_.revokes.begin(), turn_.revokes.end());
  Revoke message;
  for (std::size_t at = 0; at < turn_.revokes.size(); ++at) {
    const NodeNumber number = turn_.revokes[at].first;
    message.attempts.push_back(turn_.revokes[at].second);
    const bool last = at + 1 == turn_.revokes.size() || turn_.revokes[at + 1].first != number;
    if (!last && message.attempts.size() < limits_.items_a_message) continue;
    if (workers_[number].peer != Peer::Nobody) output_.send(workers_[number].peer, message);
    message.attempts.clear();
  }
  turn_.revokes.clear();
}

// ---- dispatch

void TaskService::on_credit(Peer peer, const Credit& credit) {
  const NodeNumber worker = worker_of(peer);
  if (worker != 0) workers_.add_credit(worker, credit.tasks);
}

// Group by group, so that a group that offers a common type does not take it all; within a group, turn by
// turn.
void TaskService::dispatch(Now now) {
  release_held(now);
  std::size_t room = limits_.dispatched_a_turn;
  for (bool progress = true; progress && backlog_.is_ready() && workers_.ready() > 0;) {
    progress = false;
    const auto share = static_cast<std::uint32_t>(
        std::clamp<std::size_t>(backlog_.size() / workers_.ready(), 1, longest_turn));
    for (WorkerGroup& group : workers_.groups()) {
      for (std::size_t given = 0; group.ready > 0 && given < std::size_t{share} * group.members; ++given) {
        const TaskHandle task = backlog_.pop(group.types);
        if (task == 0) break;
        hand_out(now, task, workers_.take_turn(group, share));
        progress = true;
        if (--room > 0) continue;
        more_ = true;
        return;
      }
    }
  }
}

void TaskService::hand_out(Now now, TaskHandle task, NodeNumber number) {
  const TaskSlot& slot = state_->task(task);
  const std::uint32_t attempt = slot.attempts + 1;
  const Handle lease = add_lease(now, task, attempt, number);
  leases_[lease].dispatched = !leases_[lease].strict;
  leases_[lease].handed_out = now.monotonic;
  measure_wait(now, slot);
  propose(RecordType::Lease, LeaseRecord{slot.id, 0, attempt, number},
          leases_[lease].strict ? Urgency::Now : Urgency::Lazy);
  if (!leases_[lease].strict) append_dispatch(leases_[lease]);
}

// W1: a strict attempt leaves once its LEASE is committed, with a whole lease before it.
void TaskService::hand_out_strict(Now now) {
  for (const auto& [task, id] : turn_.strict_leased) {
    const Handle handle = state_->is(task, id) ? positions_.lease_of(task) : 0;
    if (handle == 0 || leases_[handle].ending || leases_[handle].dispatched) continue;
    if (workers_[leases_[handle].worker].peer == Peer::Nobody) {  // it went in the meantime
      propose_requeue(handle, RequeueReason::HandedBack, false, milliseconds(0), {});
      continue;
    }
    leases_.renew(handle, now.monotonic);
    leases_[handle].dispatched = true;
    append_dispatch(leases_[handle]);
  }
  turn_.strict_leased.clear();
}

void TaskService::append_dispatch(const Lease& lease) {
  const TaskSlot& slot = state_->task(lease.task);
  const NodeNumber number = lease.worker;
  Worker& worker = workers_[number];
  const std::int64_t time_limit = state_->rare(lease.task).time_limit;
  const DispatchItem item{
      {slot.id, 0, lease.attempt, lease.epoch},
      state_->types().name(slot.type),
      time_limit > 0 ? milliseconds(time_limit) : config_.time(ConfigKey::TaskTimeoutDefault),
      state_->work(slot),
      lease.strict,
      lease.strict ? limits::lease : config_.time(ConfigKey::LeaseLength)};
  if (TurnLists::append(turn_.dispatches, worker.dispatch_first, worker.dispatch_last, item)) {
    turn_.dispatch_workers.push_back(number);
  }
}

void TaskService::send_dispatches() {
  auto& message = std::get<Dispatch>(turn_.dispatch_message);
  for (const NodeNumber number : turn_.dispatch_workers) {
    Worker& worker = workers_[number];
    std::size_t bytes = 0;
    message.items.clear();
    for (std::uint32_t place = worker.dispatch_first; place != 0; place = turn_.dispatches[place - 1].next) {
      const DispatchItem& item = turn_.dispatches[place - 1].item;
      bytes += item.work.size();
      message.items.push_back(item);
      if (message.items.size() < limits_.items_a_message && bytes < limits_.message_bytes) continue;
      output_.send(worker.peer, turn_.dispatch_message);
      message.items.clear();
      bytes = 0;
    }
    if (!message.items.empty()) output_.send(worker.peer, turn_.dispatch_message);
    worker.dispatch_first = worker.dispatch_last = 0;
  }
  turn_.dispatches.clear();
  turn_.dispatch_workers.clear();
}

}  // namespace cidbus
