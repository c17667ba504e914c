#include "worker/core/worker_core.h"

#include <algorithm>
#include <utility>

#include "shared/base/ensure.h"
#include "shared/base/limits/messages.h"
#include "shared/base/promises.h"
#include "shared/node/config_keys.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;

constexpr Duration measure_window = 50ms;   // completions in one such window are kept on the way
constexpr Duration progress_after = 250ms;  // a task that runs this long is shown as processing
constexpr Duration resend_after = 5s;
constexpr Duration shortest_renewal = 100ms;
constexpr Duration stopping_time = 500ms;  // for a slot to end what was stopped; a program is killed in it
constexpr Duration overdue_after = 5s;     // that a slot needs to stop, and somebody should know
constexpr std::size_t renewals_remembered = 1024;

// W3: a tenth of a lease is left for the attempt to stop in.
Monotonic stop_time(Monotonic asked, Duration lease) {
  return asked + (keeps(Promise::StrictStops) ? lease - lease / 10 : 100 * lease);
}

}  // namespace

WorkerCore::WorkerCore(std::uint32_t slots, Output& output, bool votes_by_hand)
    : slots_(slots), output_(output), voter_({.role = Role::Worker, .by_hand = votes_by_hand}) {
  ENSURE(slots > 0 && slots <= limits::tasks_a_worker, "slots", slots);
}

std::uint32_t WorkerCore::wanted_tasks() const {
  if (stuck() >= slots_) return 0;
  return std::min<std::uint32_t>(slots_ - stuck() + ahead_, limits::tasks_a_worker);
}

std::vector<AttemptId> WorkerCore::held() const {
  std::vector<AttemptId> attempts;
  attempts.reserve(held_.size());
  for (const auto& [attempt, held] : held_) attempts.push_back(attempt);
  return attempts;
}

void WorkerCore::on_bound(Now now, const Welcome& welcome) {
  bound_ = true;
  credit_ = 0;
  lease_ = welcome.lease;
  voter_.on_bound();
  next_renewal_ = now.monotonic;  // the leader confirms or denies each lease at once
  for (auto& [attempt, held] : held_) held.told_progress = false;  // a new one must know what runs long
  watch_at_ = now.monotonic;
  resend_at_ = now.monotonic + resend_after;
  tell_all_again();
}

void WorkerCore::on_unbound() {
  bound_ = false;
  credit_ = 0;
}

void WorkerCore::on_message(Now now, const Message& message) {
  if (const auto* dispatch = std::get_if<Dispatch>(&message)) {
    for (const DispatchItem& item : dispatch->items) accept(item);
  } else if (const auto* ack = std::get_if<CompleteAck>(&message)) {
    for (const AttemptId& attempt : ack->attempts) {
      const auto held = held_.find(attempt);
      if (held == held_.end() || held->second.stage != Held::Stage::Ended) continue;
      held_.erase(held);
      --ended_;
    }
  } else if (const auto* renewed = std::get_if<Renewed>(&message)) {
    on_renewed(now, *renewed);
  } else if (const auto* order = std::get_if<Revoke>(&message)) {
    for (const AttemptId& attempt : order->attempts) revoke(attempt);
  } else if (const auto* said = std::get_if<Configuration>(&message); said != nullptr) {
    on_configuration(now, *said);
  }
}

// Lives by it, and votes on what is open.
void WorkerCore::on_configuration(Now now, const Configuration& configuration) {
  if (configuration.request.value != 0) return;
  ConfigValues values;
  values.take(configuration.entries);
  lease_ = values.time(ConfigKey::LeaseLength);
  next_renewal_ = std::min(next_renewal_, now.monotonic + std::max<Duration>(lease_ / 3, shortest_renewal));
  std::vector<std::string> reasons;
  for (const CastVote& vote : voter_.on_configuration(configuration, reasons)) output_.send(vote);
}

void WorkerCore::accept(const DispatchItem& item) {
  if (credit_ > 0) --credit_;
  const auto [place, fresh] = held_.try_emplace(item.attempt);
  if (!fresh) return;  // sent twice
  Held& held = place->second;
  held.time_limit = item.time_limit;
  if (draining_) {
    finish(held, {item.attempt, Outcome::HandedBack, {}, "the worker is being stopped", {}});
  } else if (item.strict) {
    held.strict = true;
    held.lease = item.lease;
    held.type = item.type;
    held.work = to_bytes(item.work);
    to_confirm_.push_back(item.attempt);
  } else {
    output_.start(item);
  }
}

void WorkerCore::on_renewed(Now now, const Renewed& renewed) {
  while (!asked_.empty() && asked_.front().number < renewed.number) asked_.pop_front();
  if (!asked_.empty() && asked_.front().number == renewed.number) {
    for (const AttemptId& attempt : renewed.attempts) confirm(now, asked_.front().sent, attempt);
    asked_.pop_front();
  }
  for (const AttemptId& attempt : renewed.lost) forget_lost(attempt);
}

void WorkerCore::confirm(Now now, Monotonic asked, const AttemptId& attempt) {
  const auto place = held_.find(attempt);
  if (place == held_.end() || !place->second.strict || place->second.stage == Held::Stage::Ended) return;
  Held& held = place->second;
  const Monotonic until = stop_time(asked, held.lease);
  if (until <= now.monotonic) return;  // an answer that came too late says nothing; it is asked again
  const bool is_first = !held.stop_at;
  held.stop_at = is_first ? until : std::max(*held.stop_at, until);
  watch_at_ = std::min(watch_at_, *held.stop_at);
  if (!is_first) return;
  output_.start({attempt, held.type, held.time_limit, held.work, true, {}});
  held.type.clear();
  Bytes().swap(held.work);
}

bool WorkerCore::withdraw(const AttemptId& attempt, const Held& held) {
  if (held.stage != Held::Stage::Waiting) return false;
  return (held.strict && !held.stop_at) || output_.withdraw(attempt);
}

void WorkerCore::cancel(const AttemptId& attempt) {
  output_.cancel(attempt);
  stopping_.emplace(attempt, std::nullopt);  // its time is counted from the turn's end
}

void WorkerCore::stop(Held& held, AttemptEnd end) {
  cancel(end.attempt);
  if (!held.stopped) held.stopped = std::make_unique<AttemptEnd>(std::move(end));
}

Monotonic WorkerCore::stop_soon(Now now, Held& held, AttemptEnd end) {
  stop(held, std::move(end));
  if (held.strict) return Monotonic::max();
  held.give_up_at = now.monotonic + stopping_time;
  return *held.give_up_at;
}

void WorkerCore::revoke(const AttemptId& attempt) {
  const auto held = held_.find(attempt);
  if (held == held_.end() || held->second.stage == Held::Stage::Ended) return;
  held->second.revoked = true;
  if (withdraw(attempt, held->second)) {
    finish(held->second, {attempt, Outcome::Cancelled, {}, {}, {}});
  } else {
    cancel(attempt);
  }
}

// What has begun goes on: it may still be the first to finish (W3), unless it is strict. What has not is
// somebody else's by now.
void WorkerCore::forget_lost(const AttemptId& attempt) {
  const auto held = held_.find(attempt);
  if (held == held_.end() || held->second.stage == Held::Stage::Ended) return;
  if (withdraw(attempt, held->second)) {
    held_.erase(held);
  } else if (held->second.strict) {
    stop(held->second, {attempt, Outcome::Cancelled, {}, "it has lost its lease", {}});
  }
}

void WorkerCore::on_begin(Now now, const AttemptId& attempt) {
  ++occupied_;
  const auto held = held_.find(attempt);
  if (held == held_.end() || held->second.stage != Held::Stage::Waiting) return;
  held->second.stage = Held::Stage::Running;
  held->second.began = now.monotonic;
  ++running_;
  watch_at_ = std::min(watch_at_, watch(now, attempt, held->second));
}

void WorkerCore::on_end(AttemptEnd end) {
  ++ended_in_window_;
  ENSURE(occupied_ > 0, "an end without a beginning", to_text(end.attempt.task));
  --occupied_;
  stopping_.erase(end.attempt);
  const auto held = held_.find(end.attempt);
  if (held == held_.end() || held->second.stage == Held::Stage::Ended)
    return;  // timed out or handed back before
  const auto& stopped = held->second.stopped;
  if (stopped && end.outcome != Outcome::Completed) {
    end.outcome = stopped->outcome;
    end.error = stopped->error;
  }
  if (held->second.revoked && end.outcome != Outcome::Completed) end.outcome = Outcome::Cancelled;
  finish(held->second, std::move(end));
}

void WorkerCore::finish(Held& held, AttemptEnd end) {
  if (held.stage == Held::Stage::Running) --running_;
  held.stage = Held::Stage::Ended;
  ++ended_;
  to_tell_.push_back(end.attempt);
  held.end = std::move(end);
}

void WorkerCore::give_back_waiting() {
  std::uint32_t long_running = stuck();
  for (const auto& [attempt, held] : held_)
    long_running += held.stage == Held::Stage::Running && held.told_progress ? 1 : 0;
  if (long_running < slots_) return;
  for (auto& [attempt, held] : held_) {
    if (withdraw(attempt, held))
      finish(held, {attempt, Outcome::Cancelled, {}, "it waited behind tasks that run long", {}});
  }
}

void WorkerCore::tell_all_again() {
  to_tell_.clear();
  for (const auto& [attempt, held] : held_) {
    if (held.stage == Held::Stage::Ended) to_tell_.push_back(attempt);
  }
}

void WorkerCore::drain(Monotonic deadline) {
  draining_ = true;
  drain_deadline_ = deadline;
  for (auto& [attempt, held] : held_) {
    if (withdraw(attempt, held)) {
      finish(held, {attempt, Outcome::HandedBack, {}, "the worker is being stopped", {}});
    }
  }
  watch_at_ = std::min(watch_at_, drain_deadline_);
}

// Little's law: what completes in a window is what must be on the way for slots not to wait that long.
void WorkerCore::measure(Now now) {
  const Duration passed = now.monotonic - window_began_;
  if (passed < measure_window) return;
  const auto rate = static_cast<std::uint32_t>(ended_in_window_ / (passed / measure_window));
  ahead_ = std::max(rate, ahead_ / 2);
  ended_in_window_ = 0;
  window_began_ = now.monotonic;
}

std::optional<Monotonic> WorkerCore::end_turn(Now now) {
  measure(now);
  watch_running(now);
  watch_stopping(now);
  if (std::exchange(runs_long_, false)) give_back_waiting();
  if (bound_) {
    if (now.monotonic >= resend_at_) {
      resend_at_ = now.monotonic + resend_after;
      tell_all_again();
    }
    send_ends();
    send_credit();
    send_renewals(now);
  }
  return next_deadline(now);
}

void WorkerCore::watch_running(Now now) {
  if (now.monotonic < watch_at_) return;
  watch_at_ = Monotonic::max();
  for (auto& [attempt, held] : held_) {
    if (held.stage == Held::Stage::Running || held.stop_at) {
      watch_at_ = std::min(watch_at_, watch(now, attempt, held));
    }
  }
}

void WorkerCore::watch_stopping(Now now) {
  for (auto& [attempt, overdue_at] : stopping_) {
    if (!overdue_at) overdue_at = now.monotonic + overdue_after;
    if (now.monotonic < *overdue_at) continue;
    overdue_at = Monotonic::max();
    output_.overdue(attempt, overdue_after);
  }
}

Monotonic WorkerCore::watch(Now now, const AttemptId& attempt, Held& held) {
  if (held.stage == Held::Stage::Ended) return Monotonic::max();
  if (held.stopped) {
    if (held.give_up_at && now.monotonic >= *held.give_up_at) finish(held, *held.stopped);
    return held.stage == Held::Stage::Ended ? Monotonic::max() : held.give_up_at.value_or(Monotonic::max());
  }
  if (held.stop_at && now.monotonic >= *held.stop_at) {
    AttemptEnd end{attempt, Outcome::Cancelled, {}, "its lease could not be renewed in time", {}};
    withdraw(attempt, held) ? finish(held, std::move(end)) : stop(held, std::move(end));
    return Monotonic::max();
  }
  if (held.stage == Held::Stage::Waiting) return *held.stop_at;
  const Duration ran = now.monotonic - held.began;
  if (held.time_limit.count() > 0 && ran >= held.time_limit) {
    return stop_soon(
        now, held,
        {attempt,
         Outcome::TimedOut,
         {},
         "the attempt took longer than its limit of " + std::to_string(held.time_limit.count()) + " ms",
         std::chrono::duration_cast<std::chrono::microseconds>(ran)});
  }
  if (draining_ && now.monotonic >= drain_deadline_) {
    return stop_soon(
        now, held, {attempt, Outcome::HandedBack, {}, "the worker was stopped before the attempt ended", {}});
  }
  if (bound_ && !held.told_progress && ran >= progress_after) {
    held.told_progress = output_.send(Progress{attempt, 0, {}});
    runs_long_ = runs_long_ || held.told_progress;
  }
  Monotonic next = held.stop_at.value_or(Monotonic::max());
  if (held.time_limit.count() > 0) next = std::min(next, held.began + held.time_limit);
  if (draining_) next = std::min(next, drain_deadline_);
  if (!held.told_progress) {
    const Monotonic due = held.began + progress_after;
    next = std::min(next, due > now.monotonic ? due : now.monotonic + progress_after);
  }
  return next;
}

void WorkerCore::send_ends() {
  std::size_t told = 0;
  while (told < to_tell_.size()) {
    Complete complete;
    complete.items.reserve(std::min(to_tell_.size() - told, limits::items_a_message));
    std::size_t bytes = 0;
    std::size_t place = told;
    for (; place < to_tell_.size() && complete.items.size() < limits::items_a_message; ++place) {
      const auto held = held_.find(to_tell_[place]);
      if (held == held_.end()) continue;  // acknowledged in the meantime
      const AttemptEnd& end = *held->second.end;
      bytes += end.result.size() + end.error.size() + end.log.size();
      if (bytes > limits::batch_bytes && !complete.items.empty()) break;
      complete.items.push_back({end.attempt, end.outcome, end.result, end.error, end.elapsed, end.log});
    }
    if (!complete.items.empty() && !output_.send(std::move(complete))) break;
    told = place;
  }
  to_tell_.erase(to_tell_.begin(), to_tell_.begin() + static_cast<std::ptrdiff_t>(told));
}

void WorkerCore::send_credit() {
  if (draining_) return;
  const auto held = static_cast<std::uint32_t>(held_.size());
  const std::uint32_t out = held - ended_ + credit_;
  const std::uint32_t wanted = wanted_tasks();
  if (out >= wanted || held + credit_ >= limits::tasks_a_worker) return;
  const std::uint32_t grant = std::min(wanted - out, limits::tasks_a_worker - held - credit_);
  // Many small grants cost more than they bring: wait for a quarter of the window, unless slots would idle.
  if (grant * 4 < wanted && out >= slots_) return;
  if (output_.send(Credit{grant})) credit_ += grant;
}

void WorkerCore::send_renewals(Now now) {
  if (now.monotonic < next_renewal_) return ask(now, std::exchange(to_confirm_, {}));
  next_renewal_ = now.monotonic + std::max<Duration>(lease_ / 3, shortest_renewal);
  to_confirm_.clear();
  std::vector<AttemptId> attempts;
  for (const auto& [attempt, held] : held_) {
    if (held.stage != Held::Stage::Ended) attempts.push_back(attempt);
  }
  ask(now, std::move(attempts));
}

// An answer to a renewal that is no longer remembered prolongs nothing, which is safe.
void WorkerCore::ask(Now now, std::vector<AttemptId> attempts) {
  if (attempts.empty() || !output_.send(Renew{std::move(attempts), ++last_asked_})) return;
  asked_.push_back({last_asked_, now.monotonic});
  if (asked_.size() > renewals_remembered) asked_.pop_front();
}

std::optional<Monotonic> WorkerCore::next_deadline(Now now) const {
  Monotonic next = watch_at_;
  for (const auto& [attempt, overdue_at] : stopping_) next = std::min(next, *overdue_at);
  if (bound_ && !held_.empty()) next = std::min(next, next_renewal_);
  if (bound_ && ended_ > 0) next = std::min(next, resend_at_);
  if (ended_in_window_ > 0 || ahead_ > 0) next = std::min(next, window_began_ + measure_window);
  if (next == Monotonic::max()) return std::nullopt;
  return std::max(next, now.monotonic);
}

}  // namespace cidbus
