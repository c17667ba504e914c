#include "leecher/core/desk.h"

#include <algorithm>

#include "shared/base/ensure.h"
#include "shared/base/limits/leecher.h"
#include "shared/base/limits/times.h"

namespace cidbus {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds full_retry{1000};

// The same for every attempt to submit this one, even by a leecher that has forgotten it.
std::string own_key(const std::string& leecher, const SessionId& session, std::uint64_t seq) {
  return std::string(outbox_key_prefix) + leecher + '/' + to_text(session) + '/' + std::to_string(seq);
}

}  // namespace

Desk::Desk(DeskSettings settings, Outbox& outbox, DeskOutput& output, WallTime now)
    : settings_(std::move(settings)),
      outbox_(outbox),
      output_(output),
      since_(now),
      synced_(outbox.last_number()) {}

bool Desk::on_message(Now now, Guest guest, const Message& message) {
  if (const auto* submit = std::get_if<Submit>(&message)) return on_submit(now, guest, *submit), true;
  if (const auto* resume = std::get_if<SessionResume>(&message)) return on_resume(now, guest, *resume), true;
  if (const auto* ack = std::get_if<ResultAck>(&message)) return on_result_ack(*ack), true;
  if (const auto* close = std::get_if<SessionClose>(&message))
    return erase_session(close->session), outbox_.close_session(close->session), true;
  if (const auto* query = std::get_if<TaskQuery>(&message)) {
    return query->kind == TaskQuery::Kind::Wait ? on_wait(guest, *query) : on_query(guest, *query), true;
  }
  if (const auto* list = std::get_if<TaskList>(&message)) return on_list(guest, *list), true;
  if (const auto* cancel = std::get_if<Cancel>(&message)) return on_cancel(now, guest, *cancel), true;
  if (const auto* find = std::get_if<Find>(&message)) return on_find(guest, *find), true;
  if (const auto* place = std::get_if<Place>(&message)) return on_place(guest, *place), true;
  if (const auto* request = std::get_if<SnapshotRequest>(&message)) return on_snapshot(guest, *request), true;
  if (const auto* wanted = std::get_if<NameContent>(&message)) return pass_on_or_refuse(guest, *wanted), true;
  if (const auto* asked = std::get_if<FindContent>(&message)) return pass_on_or_refuse(guest, *asked), true;
  return false;
}

void Desk::on_guest_gone(Guest guest) {
  std::erase_if(questions_, [&](const auto& entry) { return entry.second.guest == guest; });
  for (auto at = watchers_.begin(); at != watchers_.end();) {
    watcher_count_ -= std::erase_if(at->second, [&](const Watcher& one) { return one.guest == guest; });
    at = at->second.empty() ? watchers_.erase(at) : std::next(at);
  }
}

// What the leader was to be asked for it is asked again: it forgets with the connection.
void Desk::on_online() {
  online_ = true;
  for (const auto& [id, watchers] : watchers_) {
    if (!is_outbox_item(id)) unasked_.insert(id);
  }
  if (!unasked_.empty()) ask_at_ = Monotonic::min();
}

// Askers ask again by themselves, and are answered from here then.
void Desk::on_offline(Now) {
  online_ = false;
  questions_.clear();
}

// ---- submissions

void Desk::on_submit(Now now, Guest guest, const Submit& submit) {
  Rejected rejected{submit.session, {}};
  session_for(now, guest, submit.session);
  for (const SubmitItem& item : submit.items) {
    TaskId name = outbox_.find(submit.session, item.seq);
    if (name == TaskId{} && !outbox_.has_room(item.work.size())) {
      rejected.items.push_back({item.seq, Refusal::Exhausted,
                                "the outbox of this leecher is full; wait until a broker is there, or cancel "
                                "what is not needed",
                                full_retry});
      continue;
    }
    if (name == TaskId{}) {
      std::string key(item.options.key);
      if (key.empty()) key = own_key(settings_.name, submit.session, item.seq);
      name = outbox_.queue(now.wall, submit.session, item, std::move(key));
    }
    const Monotonic answer_by = now.monotonic + limits::outbox_answer_time;
    owed_.insert_or_assign(name, Owed{guest, submit.session, item.seq, answer_by});
  }
  if (!rejected.items.empty()) output_.tell(guest, rejected);
}

TaskId Desk::begin_hand_in() {
  if (!online_ || handing_in_ != TaskId{}) return {};
  const TaskId next = outbox_.next();
  if (next == TaskId{} || outbox_number(next) > synced_) return {};
  return handing_in_ = next;
}

void Desk::handed_in(Now now, TaskId item, TaskId task) {
  handing_in_ = {};
  outbox_.hand_in(now.wall, item, task);
  if (const auto waiting = watchers_.extract(item); !waiting.empty()) {
    watcher_count_ -= waiting.mapped().size();
    for (const Watcher& watcher : waiting.mapped()) watch(task, watcher);
  }
  const Outbox::Item& known = *outbox_.find(item);
  if (!owed_.contains(item)) watch_for_session(known.session, known.seq, task);
}

// Who still waits for the answer is told no, and nothing stays here; who went away with the item's name finds
// out under that.
void Desk::refused(Now now, TaskId item, Refusal why, std::string_view reason) {
  handing_in_ = {};
  if (const auto owed = owed_.extract(item); !owed.empty()) {
    const Owed& to = owed.mapped();
    output_.tell(to.guest, Rejected{to.session, {{to.seq, why, reason, milliseconds(0)}}});
    return outbox_.drop(item);
  }
  outbox_.refuse(now.wall, item, reason);
  tell_local_end(item);
}

void Desk::answer_owed(Now now) {
  std::map<std::pair<Guest, SessionId>, std::vector<AcceptedItem>> answers;
  for (auto at = owed_.begin(); at != owed_.end();) {
    const auto& [name, owed] = *at;
    const Outbox::Item* item = outbox_.find(name);
    ENSURE(item != nullptr, "item", outbox_number(name));
    const bool waits = item->state == Outbox::State::Waiting && online_ && now.monotonic < owed.answer_by;
    if (waits || outbox_number(name) > synced_) {
      ++at;
      continue;
    }
    const bool handed_in = item->state == Outbox::State::HandedIn;
    const TaskId told = handed_in ? item->task : name;
    answers[{owed.guest, owed.session}].push_back({owed.seq, told, false});
    const Owed done = owed;
    at = owed_.erase(at);
    if (handed_in) {
      watch_for_session(done.session, done.seq, told);
    } else if (item->state != Outbox::State::Waiting) {
      tell_local_end(told);
    }
  }
  for (auto& [to, items] : answers) {
    output_.tell(to.first, Accepted{to.second, Durability::Disk, std::move(items)});
  }
}

Monotonic Desk::end_turn(Now now) {
  answer_owed(now);
  ask_waits(now);
  outbox_.clear_away(now.wall);
  const bool may_ask = online_ && result_bytes_ < limits::desk_result_bytes;
  Monotonic next = may_ask ? ask_at_ : Monotonic::max();
  for (const auto& [name, owed] : owed_) next = std::min(next, owed.answer_by);
  return next;
}

// ---- sessions

Desk::Session& Desk::session_for(Now now, Guest guest, const SessionId& id) {
  if (!sessions_.contains(id) && sessions_.size() >= limits::desk_sessions) {
    const auto oldest =
        std::min_element(sessions_.begin(), sessions_.end(),
                         [](const auto& a, const auto& b) { return a.second.heard < b.second.heard; });
    erase_session(SessionId(oldest->first));
  }
  Session& session = sessions_[id];
  session.guest = guest;
  session.heard = now.monotonic;
  return session;
}

void Desk::erase_session(const SessionId& id) {
  const auto session = sessions_.extract(id);
  if (session.empty()) return;
  for (const KeptResult& kept : session.mapped().unacknowledged) result_bytes_ -= kept.bytes;
}

// After a restart nothing is known of what was pushed, and it is pushed anew from the cursor on: the client
// drops what it has had, by its seq.
void Desk::on_resume(Now now, Guest guest, const SessionResume& resume) {
  Session& session = session_for(now, guest, resume.session);
  session.last_rseq = std::max(session.last_rseq, resume.cursor);
  acknowledge(session, resume.cursor);
  Results again{resume.session, {}};
  for (const KeptResult& kept : session.unacknowledged)
    again.items.push_back({kept.rseq, kept.seq, kept.info});
  output_.tell(guest, again);
  for (const TaskId name : outbox_.items_of(resume.session)) {
    const Outbox::Item& item = *outbox_.find(name);
    if (item.state == Outbox::State::HandedIn) {
      watch_for_session(resume.session, item.seq, item.task);
    } else if (item.state != Outbox::State::Waiting && session.watched.insert(item.seq).second) {
      push(resume.session, item.seq, info_of(name, item));
    }
  }
}

void Desk::on_result_ack(const ResultAck& ack) {
  const auto session = sessions_.find(ack.session);
  if (session != sessions_.end()) acknowledge(session->second, ack.cursor);
}

void Desk::acknowledge(Session& session, std::uint64_t cursor) {
  while (!session.unacknowledged.empty() && session.unacknowledged.front().rseq <= cursor) {
    result_bytes_ -= session.unacknowledged.front().bytes;
    session.unacknowledged.pop_front();
  }
}

void Desk::watch_for_session(const SessionId& id, std::uint64_t seq, TaskId task) {
  const auto session = sessions_.find(id);
  if (session == sessions_.end() || !session->second.watched.insert(seq).second) return;
  watch(task, {{}, {}, task, id, seq});
}

// False when too much waits to be acknowledged already.
bool Desk::push(const SessionId& id, std::uint64_t seq, const TaskInfo& info) {
  const auto place = sessions_.find(id);
  if (place == sessions_.end()) return true;
  if (result_bytes_ >= limits::desk_result_bytes) return false;
  Session& session = place->second;
  KeptResult kept{++session.last_rseq, seq, info, {}, 0};
  for (const std::string_view text :
       {info.type, as_text(info.work), as_text(info.result), info.error, info.worker, info.key}) {
    kept.texts.emplace_back(text);
    kept.bytes += text.size();
  }
  kept.info.type = kept.texts[0];
  kept.info.work = as_bytes(kept.texts[1]);
  kept.info.result = as_bytes(kept.texts[2]);
  kept.info.error = kept.texts[3];
  kept.info.worker = kept.texts[4];
  kept.info.key = kept.texts[5];
  kept.bytes += sizeof(KeptResult);
  result_bytes_ += kept.bytes;
  output_.tell(session.guest, Results{id, {{kept.rseq, seq, kept.info}}});
  session.unacknowledged.push_back(std::move(kept));
  return true;
}

}  // namespace cidbus
