#include "broker/tasks/task_service.h"

#include <algorithm>
#include <limits>

#include "shared/base/ensure.h"
#include "shared/base/limits/times.h"

namespace cidbus {
namespace {

constexpr std::size_t timer_steps = 4096;  // entries looked at in one tick
constexpr std::size_t pages_a_slice = 4;   // of the roll, of 2,048 tasks each, taken over in one call

// The monotonic instant of a record time, as far as both clocks run alike.
Monotonic instant_of(Now now, std::int64_t when_ms) {
  const std::int64_t wait = std::max<std::int64_t>(when_ms - now.wall.milliseconds, 0);
  constexpr std::int64_t longest = std::int64_t{1} << 40;  // 35 years
  return now.monotonic + std::chrono::milliseconds(std::min(wait, longest));
}

}  // namespace

TaskService::TaskService(Output& output, TaskMetrics& metrics, const ServiceLimits& service_limits,
                         Prng chance)
    : output_(output), limits_(service_limits), chance_(chance), metrics_(metrics) {}

bool TaskService::take_office(Now now, Epoch epoch, StateMachine& state) {
  if (state_ == nullptr) {
    state_ = &state;
    epoch_ = epoch;
    takeover_.began = now;
    timers_ = TimerWheel(now.wall.milliseconds);
    workers_.begin(state.nodes());
    ungreeted_ = state.nodes().size();
    holding_ = ungreeted_ > 0;
  }
  ENSURE(epoch == epoch_ && state_ == &state, "epoch", epoch.value);
  const Roll& roll = state.tables().roll;
  for (std::size_t page = 0; page < pages_a_slice;) {
    while (takeover_.type <= state.types().size() && takeover_.pages == roll.pages_of(takeover_.type)) {
      ++takeover_.type;
      takeover_.pages = 0;
    }
    if (takeover_.type > state.types().size()) {
      hold_until_ = now.monotonic + limits::reclaim;
      backlog_.forget_since();  // they waited in the office before
      return true;
    }
    if (roll.for_each_unfinished(takeover_.type, takeover_.pages++,
                                 [&](TaskHandle task) { take_over(task); }))
      ++page;
  }
  return false;
}

// What the office before this one had queued, or with a worker.
void TaskService::take_over(TaskHandle task) {
  const TaskSlot& slot = state_->task(task);
  if (slot.state == TaskState::Pending) {
    schedule(takeover_.began, task, holding_ ? Backlog::Lane::Held : Backlog::Lane::Fresh);
  } else if (slot.state == TaskState::Assigned) {
    const Handle lease = add_lease(takeover_.began, task, slot.attempts, slot.node);
    leases_[lease].processing = state_->tables().roll.state_at(slot.place) == TaskState::Processing;
  }
  const std::int64_t deadline = state_->rare(task).deadline;
  if (deadline != 0) timers_.set(task, TimerWheel::Kind::Deadline, deadline);
}

bool TaskService::on_message(Now now, Peer peer, const Message& message) {
  ENSURE(state_ != nullptr);
  if (const auto* submit = std::get_if<Submit>(&message)) {
    on_submit(now, peer, *submit);
  } else if (const auto* complete = std::get_if<Complete>(&message)) {
    on_complete(now, peer, *complete);
  } else if (const auto* ack = std::get_if<ResultAck>(&message)) {
    on_result_ack(now, peer, *ack);
  } else if (const auto* credit = std::get_if<Credit>(&message)) {
    on_credit(peer, *credit);
  } else if (const auto* renew = std::get_if<Renew>(&message)) {
    on_renew(now, peer, *renew);
  } else if (const auto* progress = std::get_if<Progress>(&message)) {
    on_progress(peer, *progress);
  } else if (const auto* resume = std::get_if<SessionResume>(&message)) {
    on_session_resume(now, peer, *resume);
  } else if (const auto* close = std::get_if<SessionClose>(&message)) {
    on_session_close(*close);
  } else if (const auto* cancel = std::get_if<Cancel>(&message)) {
    on_cancel(peer, *cancel);
  } else if (const auto* query = std::get_if<TaskQuery>(&message)) {
    on_task_query(peer, *query);
  } else if (const auto* list = std::get_if<TaskList>(&message)) {
    on_task_list(peer, *list);
  } else {
    return false;
  }
  return true;
}

void TaskService::on_peer_gone(Now, Peer peer) {
  if (const NodeNumber worker = workers_.find(peer); worker != 0) workers_.disconnect(worker);
  links_.remove_all_of(peer);
  forget_questions_of(peer);
}

void TaskService::configure(Now now, const ConfigValues& values) {
  config_ = values;
  leases_.set_length(values.time(ConfigKey::LeaseLength), now.monotonic);
}

void TaskService::admit(bool admitted, std::string_view reason) {
  admitted_ = admitted;
  refusal_ = reason;
}

// ---- what records changed

void TaskService::on_applied(Now now, const Changes& changes) {
  for (const Change& change : changes.list) on_change(now, change, changes);
  if (!declared_strict_.empty()) {
    std::erase_if(declared_strict_,
                  [&](const std::string& type) { return state_->is_strict(state_->types().find(type)); });
  }
  settle_submissions(changes.applied);
  settle_completions(changes.applied);
  answer_cancels(changes.applied);
}

void TaskService::settle_submissions(LogIndex applied) {
  while (!submissions_.empty() && submissions_.front().index <= applied) {
    if (SessionLink* link = links_.get(submissions_.front().link)) --link->unanswered;
    submissions_.pop();
  }
}

// Its session is gone, and may have taken its link along: whoever sent it is told.
void TaskService::on_expired(const Change& change, const Changes& changes) {
  settle_submissions(LogIndex{change.id.value - 1});
  if (submissions_.empty() || submissions_.front().index.value != change.id.value) return;
  const RejectedItem item{
      change.number, Refusal::SessionExpired, "the session ended before this submission was recorded", {}};
  output_.send(submissions_.front().peer, Rejected{changes.sessions[change.session], {item}});
}

void TaskService::on_change(Now now, const Change& change, const Changes& changes) {
  switch (change.kind) {
    case ChangeKind::Accepted:
      metrics_.accepted.add(change.flag ? 0 : 1);
      if (SessionLink* link = links_.find(change.session)) {
        answer_accepted(*link, {change.number, change.id, change.flag});
      }
      break;
    case ChangeKind::Expired:
      on_expired(change, changes);
      break;
    case ChangeKind::Queued:
      on_queued(now, change);
      break;
    case ChangeKind::Leased:
      on_leased(now, change);
      break;
    case ChangeKind::Finished:
      on_finished(change);
      break;
    case ChangeKind::Stale:
      metrics_.stale.add();
      break;
    case ChangeKind::ResultReady:
    case ChangeKind::Acknowledged:
      if (SessionLink* link = links_.find(change.session)) results_due(*link);
      break;
    case ChangeKind::SessionOpened: {
      if (!state_->tables().sessions.is_live(change.session)) break;
      SessionLink* link = links_.find(state_->session(change.session).id);
      if (link == nullptr) break;
      link->opening = false;
      links_.set_session(*link, change.session);
      break;
    }
    case ChangeKind::SessionClosed:
      if (SessionLink* link = links_.find(change.session)) links_.remove(*link);
      break;
    case ChangeKind::TypeAdded: {
      const auto type = static_cast<TypeNumber>(change.number);
      workers_.on_type_added(state_->types().name(type), type);
      break;
    }
    case ChangeKind::Proposed:
    case ChangeKind::Voted:
    case ChangeKind::Decided:
      break;  // of the configuration, not of tasks
  }
}

void TaskService::on_queued(Now now, const Change& change) {
  if (!state_->is(change.task, change.id)) return;
  if (change.flag) {
    metrics_.requeued.add();
    detach(change.task, false);
  } else if (const std::int64_t deadline = state_->rare(change.task).deadline; deadline != 0) {
    timers_.set(change.task, TimerWheel::Kind::Deadline, deadline);
  }
  if (state_->task(change.task).state != TaskState::Pending) return;  // a later record has gone on
  schedule(now, change.task, change.flag ? Backlog::Lane::Again : Backlog::Lane::Fresh);
  tell(change.task, TaskState::Pending);
}

void TaskService::on_leased(Now now, const Change& change) {
  if (!state_->is(change.task, change.id)) return;
  const TaskSlot& slot = state_->task(change.task);
  if (slot.state != TaskState::Assigned) return;
  Handle lease = positions_.lease_of(change.task);
  if (lease == 0) {
    detach(change.task, false);
    lease = add_lease(now, change.task, slot.attempts, slot.node);
  }
  if (!leases_[lease].dispatched) turn_.strict_leased.emplace_back(change.task, change.id);
  tell(change.task, TaskState::Assigned);
  if (leases_[lease].processing) set_processing(lease);
}

void TaskService::on_finished(const Change& change) {
  metrics_.on_finished(change.state);
  detach(change.task, true);
  timers_.clear(change.task, TimerWheel::Kind::Deadline);
  answer_waiters(change.id);
  if (state_->is(change.task, change.id)) tell(change.task, change.state);
}

// Into a queue, or to wait until its time has come.
void TaskService::schedule(Now now, TaskHandle task, Backlog::Lane lane) {
  const TaskSlot& slot = state_->task(task);
  const std::int64_t not_before = state_->rare(task).not_before;
  if (not_before > now.wall.milliseconds) {
    timers_.set(task, TimerWheel::Kind::NotBefore, not_before);
    return;
  }
  backlog_.push(task, slot.type, slot.priority, lane, now.wall);
}

// Out of whatever the leader had it in. `revoke`: a worker that still runs it is to stop.
void TaskService::detach(TaskHandle task, bool revoke) {
  if (positions_.is_queued(task)) backlog_.remove(task, state_->task(task).type);
  timers_.clear(task, TimerWheel::Kind::NotBefore);
  const Handle handle = positions_.lease_of(task);
  if (handle == 0) return;
  Lease& lease = leases_[handle];
  end_expected(lease);
  if (!lease.dispatched) {
    workers_.add_credit(lease.worker, 1);  // what was taken for it, since nothing left
  } else if (revoke && !lease.told) {
    turn_.revokes.emplace_back(lease.worker, AttemptId{lease.id, 0, lease.attempt, lease.epoch});
  }
  leases_.drop(handle, workers_[lease.worker].leases);
}

void TaskService::tell(TaskHandle task, TaskState state) {
  if (!watched_) return;
  const TaskSlot& slot = state_->task(task);
  output_.event(
      {slot.id, state_->types().name(slot.type), state, state_->nodes().name(slot.node), slot.attempts});
}

// ---- time

Monotonic TaskService::tick(Now now) {
  more_ = false;
  expire_leases(now);
  run_timers(now);
  release_held(now);
  renew_sessions(now);
  return next_deadline(now);
}

Monotonic TaskService::end_turn(Now now) {
  hand_out_strict(now);
  dispatch(now);
  const bool dispatches = !turn_.dispatch_workers.empty();
  send_dispatches();  // first what a task waits for, then what is only good to know
  send_accepted();    // before the results of what was accepted
  send_results();
  send_complete_acks(now, dispatches);
  send_revokes();
  propose_acknowledgements();
  send_waited();
  return next_deadline(now);
}

void TaskService::run_timers(Now now) {
  due_.clear();
  timers_.advance(now.wall.milliseconds, timer_steps, due_);
  for (const TimerWheel::Due due : due_) {
    const TaskSlot& slot = state_->task(due.task);
    if (due.kind == TimerWheel::Kind::Deadline) {
      propose(RecordType::Expire, TaskRecord{slot.id}, Urgency::Now);
    } else {
      schedule(now, due.task, slot.attempts > 0 ? Backlog::Lane::Again : Backlog::Lane::Fresh);
    }
  }
}

void TaskService::release_held(Now now) {
  if (!holding_ || now.monotonic < hold_until_) return;
  holding_ = false;
  backlog_.release_held();
}

Monotonic TaskService::next_deadline(Now now) {
  if (more_) return now.monotonic;
  Monotonic next = turn_.acks_at;
  if (const Handle lease = leases_.first(); lease != 0) next = std::min(next, leases_[lease].deadline);
  if (holding_) next = std::min(next, hold_until_);
  if (const SessionLink* link = links_.first_to_renew()) next = std::min(next, link->renew_at);
  const std::int64_t timer = timers_.next();
  if (timer != std::numeric_limits<std::int64_t>::max()) next = std::min(next, instant_of(now, timer));
  return next;
}

std::size_t TaskService::memory_used() const {
  return positions_.memory_used() + leases_.memory_used() + timers_.memory_used();
}

void TaskService::check_invariants() {
  backlog_.check_invariants();
  workers_.check_invariants();
  std::size_t queued = 0;
  std::size_t leased = 0;
  state_->tables().tasks.for_each([&](Handle task, const TaskSlot& slot) {
    const bool in_queue = positions_.is_queued(task);
    const Handle lease = positions_.lease_of(task);
    const bool waits = timers_.is_set(task, TimerWheel::Kind::NotBefore);
    const int places = (in_queue ? 1 : 0) + (lease != 0 ? 1 : 0) + (waits ? 1 : 0);
    ENSURE(places == (is_final(slot.state) ? 0 : 1), "task", slot.id.value, "places", places);
    if (lease != 0) ENSURE(leases_[lease].id == slot.id, "task", slot.id.value);
    if (slot.state == TaskState::Assigned) ENSURE(lease != 0, "task", slot.id.value);
    queued += in_queue ? 1 : 0;
    leased += lease != 0 ? 1 : 0;
  });
  ENSURE(queued == backlog_.size() && leased == leases_.size(), "queued", queued, "leased", leased);
}

}  // namespace cidbus
