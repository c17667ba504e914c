#include "client/session_core.h"

#include <algorithm>
#include <cstring>

#include "shared/base/ensure.h"
#include "shared/base/limits/messages.h"
#include "shared/base/limits/tasks.h"
#include "shared/base/limits/times.h"
#include "shared/base/limits/words.h"
#include "shared/base/promises.h"

namespace cidbus {
namespace {

using std::chrono::milliseconds;

// Between two questions for the same missing results; the first answer may still be on the way.
constexpr Duration gap_wait = milliseconds(200);
// Results are acknowledged with what is submitted next, which is likely to be soon; at the latest then, or
// when there are so many: a broker keeps them until it is told.
constexpr Duration acknowledge_within = milliseconds(10);
constexpr std::uint64_t acknowledge_from = 512;
// A session a client was cut off from for so long may have expired.
constexpr Duration out_of_sight = Duration(limits::session_ttl) / 2;
// Of a broker without room: the longest pause doubles from the first to the last of these.
constexpr Duration pause_first = milliseconds(50);
constexpr Duration pause_most = std::chrono::seconds(5);
constexpr unsigned pause_doublings = 7;

// Sessions are random, so each client backs off in a rhythm of its own; and a run with a given session
// repeats.
std::uint64_t seed_of(const SessionId& session) {
  std::uint64_t seed = 0;
  std::memcpy(&seed, session.bytes.data(), sizeof seed);
  return seed;
}

}  // namespace

SessionCore::SessionCore(SessionId session, SessionSettings settings, SessionOutput& output)
    : session_(session),
      settings_(settings),
      output_(output),
      chance_(seed_of(session)),
      silence_(settings.silence),
      result_silence_(settings.result_silence) {}

bool SessionCore::has_room() const {
  return submissions_.unanswered_bytes() < settings_.unanswered_bytes &&
         submissions_.held() + watched_.size() < settings_.held;
}

Ticket SessionCore::submit(std::string_view type, const TaskOptions& options, ByteView work) {
  ENSURE(has_room() && !closing_, "held", submissions_.held(), "closing", closing_);
  ENSURE(is_valid_name(type) && options.key.size() <= limits::key_length &&
             work.size() <= limits::payload_bytes && options.tries > 0,
         "type", type, "key bytes", options.key.size(), "work bytes", work.size());
  return submissions_.add(type, options, work);
}

void SessionCore::close() { closing_ = true; }

// ---- the broker comes and goes

void SessionCore::on_bound(Monotonic now, std::uint32_t credit) {
  on_unbound(now);
  const bool doubtful = opened_ && now - last_contact_ >= out_of_sight;
  bound_ = true;
  window_ = credit;
  resumed_ = false;
  opened_elsewhere_ = opened_;
  silence_ = settings_.silence;
  result_silence_ = settings_.result_silence;
  resend_at_ = Monotonic::max();
  paused_until_ = Monotonic::min();
  pauses_ = 0;
  resume_at_ = established_ || owed() ? now : Monotonic::max();
  if (!keeps(Promise::ResendIdentity) && opened_) renew_session(now);
  if (!doubtful) return;
  // A session this long out of sight may have expired: record time may be a quarter of the ttl behind. If it
  // is established a broker knows, and what is new waits for its word; if not, a broker could not tell the
  // opening submission from its repeat.
  if (established_)
    paused_until_ = now + settings_.silence;
  else
    give_up(submissions_.give_up_doubtful());
}

void SessionCore::on_unbound(Monotonic now) {
  if (!bound_) return;
  bound_ = false;
  last_contact_ = now;
  submissions_.recall();
}

void SessionCore::establish(Monotonic now) {
  resumed_ = false;
  if (established_) return;
  established_ = true;
  // Its answer to an earlier binding was lost, and results may have been with it.
  if (opened_elsewhere_) resume_at_ = now;
}

void SessionCore::renew_session(Monotonic now) {
  const std::vector<Ticket> doubtful = submissions_.give_up_doubtful();
  for (const auto& [task, ticket] : submissions_.renew()) watch(task, ticket);
  session_ = output_.new_session();
  opened_ = opened_elsewhere_ = established_ = resumed_ = false;
  cursor_ = highest_rseq_ = acknowledged_ = 0;
  acknowledge_at_ = Monotonic::max();
  paused_until_ = Monotonic::min();
  resend_at_ = Monotonic::max();
  resume_at_ = owed() ? now + result_silence_ : Monotonic::max();
  give_up(doubtful);
}

void SessionCore::give_up(const std::vector<Ticket>& tickets) {
  for (const Ticket ticket : tickets) output_.unknown(ticket, TaskId{});
}

// ---- what the broker says

bool SessionCore::on_message(Monotonic now, const Message& message) {
  if (!bound_) return false;
  if (const auto* accepted = std::get_if<Accepted>(&message)) {
    on_accepted(now, *accepted);
  } else if (const auto* rejected = std::get_if<Rejected>(&message)) {
    on_rejected(now, *rejected);
  } else if (const auto* results = std::get_if<Results>(&message)) {
    on_results(now, *results);
  } else if (const auto* infos = std::get_if<TaskInfos>(&message)) {
    if (infos->request.value < first_request) return false;
    on_task_infos(now, *infos);
  } else if (const auto* refused = std::get_if<Refused>(&message)) {
    // It names no session; only one that answers this session's resume can be meant.
    if (refused->why != Refusal::SessionExpired || !resumed_) return false;
    renew_session(now);
  } else {
    return false;
  }
  return true;
}

// The wait is for the lowest unanswered one: answers to others must not keep it from being sent again.
void SessionCore::on_answered(Monotonic now) {
  if (submissions_.in_flight() == 0) resend_at_ = Monotonic::max();
  if (submissions_.low_water() != answered_below_) {
    answered_below_ = submissions_.low_water();
    silence_ = settings_.silence;
    if (submissions_.in_flight() > 0) resend_at_ = now + silence_;
  }
  if (owed() && resume_at_ == Monotonic::max()) resume_at_ = now + result_silence_;
}

void SessionCore::on_accepted(Monotonic now, const Accepted& accepted) {
  if (accepted.session != session_) return;
  establish(now);
  pauses_ = 0;
  for (const AcceptedItem& item : accepted.items) {
    Submissions::Entry* entry = submissions_.find(item.seq);
    if (entry != nullptr && entry->body != nullptr) accept(*entry, item.task, item.duplicate);
  }
  on_answered(now);
}

void SessionCore::accept(Submissions::Entry& entry, TaskId task, bool duplicate) {
  const Ticket ticket = entry.ticket;
  // Under a key it may be another session's task, whose result goes there.
  const bool by_id = settings_.await_results && duplicate && !entry.body->key.empty();
  submissions_.accept(entry, task, settings_.await_results && !by_id);
  if (by_id) watch(task, ticket);
  output_.accepted(ticket, task, duplicate);
}

void SessionCore::on_rejected(Monotonic now, const Rejected& rejected) {
  if (rejected.session != session_) return;
  resumed_ = false;
  milliseconds retry_after{-1};
  std::string_view reason;
  for (const RejectedItem& item : rejected.items) {
    if (item.why == Refusal::SessionExpired) return renew_session(now);
    Submissions::Entry* entry = submissions_.find(item.seq);
    if (entry == nullptr || entry->body == nullptr) continue;
    const bool passing =
        item.why == Refusal::NotLeader || (item.why == Refusal::Exhausted && settings_.retry_exhausted);
    if (passing) {
      submissions_.put_back(item.seq, *entry);
      reason = item.reason;
      retry_after = std::max(retry_after, item.retry_after);
    } else {
      const Ticket ticket = entry->ticket;
      submissions_.refuse(*entry);
      output_.rejected(ticket, item.why, item.reason, item.retry_after);
    }
  }
  if (retry_after >= milliseconds(0)) {
    pause(now, retry_after);
    output_.paused(reason, retry_after);
  }
  on_answered(now);
}

void SessionCore::pause(Monotonic now, milliseconds retry_after) {
  const Duration most = std::min(pause_first * (1 << std::min(pauses_, pause_doublings)), pause_most);
  ++pauses_;
  const auto jitter = Duration(chance_.between(0, static_cast<std::uint64_t>(most.count())));
  paused_until_ = std::max(paused_until_, now + retry_after + jitter);
}

void SessionCore::on_results(Monotonic now, const Results& results) {
  if (results.session != session_) return;
  establish(now);
  for (const ResultItem& item : results.items) {
    highest_rseq_ = std::max(highest_rseq_, item.rseq);
    if (item.rseq <= cursor_) {
      acknowledge_at_ = now;  // sent again: the acknowledgement was lost
    } else if (item.rseq == cursor_ + 1) {
      cursor_ = item.rseq;
      deliver(item);
    }
  }
  if (cursor_ > acknowledged_) acknowledge_at_ = std::min(acknowledge_at_, now + acknowledge_within);
  if (cursor_ - acknowledged_ >= acknowledge_from) acknowledge_at_ = now;
  result_silence_ = settings_.result_silence;
  resume_at_ = owed() ? now + result_silence_ : Monotonic::max();
  if (cursor_ < highest_rseq_) resume_at_ = std::max(now, last_resume_ + gap_wait);
  on_answered(now);
}

void SessionCore::deliver(const ResultItem& item) {
  Submissions::Entry* entry = submissions_.find(item.seq);
  if (entry != nullptr && entry->body != nullptr) {
    accept(*entry, item.info.task, false);  // its answer was lost; the result proves it was accepted
    entry = submissions_.find(item.seq);
  }
  if (entry != nullptr && entry->state == Submissions::State::Accepted) {
    const Ticket ticket = entry->ticket;
    submissions_.finish(*entry);
    output_.result(ticket, item.info);
  }
  for (const Ticket ticket : take_watchers(item.info.task)) output_.result(ticket, item.info);
}

void SessionCore::on_task_infos(Monotonic now, const TaskInfos& infos) {
  for (const TaskInfo& info : infos.tasks) {
    if (!is_final(info.state)) continue;
    for (const Ticket ticket : take_watchers(info.task)) output_.result(ticket, info);
  }
  for (const TaskId task : infos.unknown) {
    for (const Ticket ticket : take_watchers(task)) output_.unknown(ticket, task);
  }
  result_silence_ = settings_.result_silence;
  if (!owed()) resume_at_ = Monotonic::max();
  on_answered(now);
}

void SessionCore::watch(TaskId task, Ticket ticket) {
  watched_.emplace(task, ticket);
  unasked_.push_back(task);
}

std::vector<Ticket> SessionCore::take_watchers(TaskId task) {
  std::vector<Ticket> tickets;
  const auto [first, last] = watched_.equal_range(task);
  for (auto place = first; place != last; ++place) tickets.push_back(place->second);
  watched_.erase(first, last);
  return tickets;
}

// ---- the end of a turn

Monotonic SessionCore::tick(Monotonic now) {
  if (!bound_ || closed_) return Monotonic::max();
  if (closing_) {
    send_acknowledgement();
    send_close();
    return Monotonic::max();
  }
  if (now >= resume_at_) send_resume(now);
  if (now >= resend_at_) {
    submissions_.recall();
    silence_ = std::min(silence_ * 2, settings_.silence_most);
    resend_at_ = Monotonic::max();
  }
  const bool submitted = send_submissions(now);
  send_questions();
  if (submitted || now >= acknowledge_at_) send_acknowledgement();
  const bool waits = submissions_.unanswered() > submissions_.in_flight() && now < paused_until_;
  return std::min({resend_at_, resume_at_, acknowledge_at_, waits ? paused_until_ : Monotonic::max()});
}

void SessionCore::send_resume(Monotonic now) {
  last_resume_ = now;
  if (established_) {
    resumed_ = true;
    acknowledge_at_ = Monotonic::max();
    acknowledged_ = cursor_;
    output_.send(SessionResume{session_, cursor_});
  }
  unasked_.clear();
  for (auto place = watched_.begin(); place != watched_.end(); place = watched_.upper_bound(place->first))
    unasked_.push_back(place->first);
  resume_at_ = owed() ? now + result_silence_ : Monotonic::max();
  result_silence_ = std::min(result_silence_ * 2, settings_.result_silence_most);
}

// A session opens with one submission alone. From its answer on the low water is above it, so that a broker
// which does not know the session can tell a new one (low water 1) from one that expired.
bool SessionCore::send_submissions(Monotonic now) {
  if (now < paused_until_) return false;
  const std::size_t window = established_ ? window_ : std::min(window_, 1U);
  bool sent = false;
  while (submissions_.in_flight() < window) {
    const std::size_t count = std::min(window - submissions_.in_flight(), limits::items_a_message);
    const std::uint64_t low_water = established_ ? submissions_.low_water() : 1;
    Submit batch{session_, low_water, submissions_.take(count, limits::batch_bytes)};
    if (batch.items.empty()) break;
    opened_ = true;
    if (resend_at_ == Monotonic::max()) resend_at_ = now + silence_;
    output_.send(std::move(batch));
    sent = true;
  }
  return sent;
}

void SessionCore::send_questions() {
  for (std::size_t place = 0; place < unasked_.size(); place += limits::items_a_message) {
    const std::size_t count = std::min(limits::items_a_message, unasked_.size() - place);
    const auto first = unasked_.begin() + static_cast<std::ptrdiff_t>(place);
    TaskQuery query{{next_request_++}, TaskQuery::Kind::Wait, {}};
    query.tasks.assign(first, first + static_cast<std::ptrdiff_t>(count));
    output_.send(std::move(query));
  }
  unasked_.clear();
}

void SessionCore::send_acknowledgement() {
  if (acknowledge_at_ == Monotonic::max()) return;
  acknowledge_at_ = Monotonic::max();
  acknowledged_ = cursor_;
  output_.send(ResultAck{session_, cursor_});
}

void SessionCore::send_close() {
  closed_ = true;
  if (opened_) output_.send(SessionClose{session_});
}

}  // namespace cidbus
