// Sessions, submissions and results: what clients ask of the leader (CONSENSUS C1 to C4).
#include <algorithm>

#include "broker/tasks/handle_table.h"
#include "broker/tasks/task_service.h"
#include "shared/base/ensure.h"
#include "shared/base/limits/messages.h"
#include "shared/base/limits/tasks.h"
#include "shared/wire/work.h"

namespace cidbus {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds soon{50};     // the journal is behind: it moves within a few syncs
constexpr milliseconds later{1000};  // a table is full: results have to be fetched, tasks to be done
constexpr std::size_t rejected_a_message = 1024;  // a reason may be 256 bytes long
constexpr std::size_t types_named = 8;
constexpr std::uint64_t result_row_bytes = 200;  // of a pushed result beside its payload

// What a session that has not been heard of for a quarter of its life is asked to prove in a record.
Duration renewal_of(const StateLimits& limits) { return Duration(limits.session_ttl) / 4; }

// Of what a key stands for; the same in one process, no more.
std::uint64_t hash_request(const SubmitItem& item) {
  const Bytes asked = asked_by(item.work);
  return hash_bytes(asked.data(), asked.size(), hash_bytes(item.type.data(), item.type.size(), 0));
}

Verdict refuse_with(Refusal why, std::string_view reason, milliseconds retry_after = milliseconds(0)) {
  return {false, why, reason, retry_after};
}

}  // namespace

SessionLink& TaskService::link_for(Now now, Peer peer, const SessionId& id) {
  SessionLink* link = links_.find(id);
  if (link == nullptr) {
    link = &links_.add(id, peer, now.monotonic + renewal_of(state_->state_limits()));
    links_.set_session(*link, state_->find(id));
    if (link->session != 0) link->pushed = link->acknowledged = state_->session(link->session).cursor;
    results_due(*link);
  } else if (link->peer != peer) {
    links_.move(*link, peer);
    results_due(*link);
  }
  return *link;
}

// ---- submissions

void TaskService::on_submit(Now now, Peer peer, const Submit& submit) {
  SessionLink& link = link_for(now, peer, submit.session);
  Rejected rejected{submit.session, {}};
  turn_.reasons.clear();
  metrics_.submitted.add(submit.items.size());
  usage_ = state_->usage();
  const auto send_rejected = [&] {
    if (!rejected.items.empty()) output_.send(peer, rejected);
    rejected.items.clear();
  };
  for (const SubmitItem& item : submit.items) {
    const ClaimHandle repeated = link.session == 0 ? 0 : state_->claim_of(link.session, item.seq);
    if (repeated != 0) {  // applied long ago: answered from the state, even when there is no room for more
      answer_accepted(link, {item.seq, state_->task(state_->task_of(repeated)).id, true});
      continue;
    }
    const Verdict verdict = judge(link, submit, item);
    if (verdict.accepted) {
      propose_submission(link, submit, item);
      continue;
    }
    metrics_.on_rejected(verdict.why);
    rejected.items.push_back({item.seq, verdict.why, verdict.reason, verdict.retry_after});
    if (rejected.items.size() == rejected_a_message) send_rejected();
  }
  send_rejected();
  if (link.session == 0 && !link.opening) links_.remove(link);
}

Verdict TaskService::judge(const SessionLink& link, const Submit& submit, const SubmitItem& item) {
  const bool known = link.session != 0 || link.opening;
  if (!known && submit.low_water > 1) {
    return refuse_with(Refusal::SessionExpired, "the session has expired: open another");
  }
  const std::uint64_t low_water = std::max<std::uint64_t>(
      {1, submit.low_water, link.session == 0 ? 0 : state_->session(link.session).low_water});
  if (item.seq < low_water) {
    return refuse_with(Refusal::BadMessage, "its seq is below low_water: it was answered before");
  }
  if (item.seq - low_water >= state_->state_limits().session_window ||
      link.unanswered >= state_->state_limits().session_window) {
    return refuse_with(Refusal::Exhausted, "too many submissions of the session are unanswered", soon);
  }
  if (const Verdict type = judge_type(item.type); !type.accepted) return type;
  if (const Verdict room = judge_room(link, item); !room.accepted) return room;
  return judge_key(item);
}

// Whether anybody could ever run it. With no worker connected nobody can tell, so the task is taken and
// waits; once a worker is there, a type that none has ever offered is taken for a slip of the pen.
Verdict TaskService::judge_type(std::string_view type) {
  const TypeNumber number = state_->types().find(type);
  if (number != 0 && state_->is_offered(number)) return {};
  if (workers_.is_offered(type) || workers_.connected() == 0) {
    if (number != 0 || state_->types().size() < limits::task_types) return {};
    return refuse_with(Refusal::Exhausted, "the cluster has seen too many task types", later);
  }
  std::set<std::string_view> known = workers_.offered();
  for (TypeNumber offered = 1; offered <= state_->types().size(); ++offered) {
    if (state_->is_offered(offered)) known.insert(state_->types().name(offered));
  }
  std::string reason = "no worker has ever offered the task type \"" + std::string(type) + "\"; known are ";
  std::size_t named = 0;
  for (const std::string_view name : known) {
    if (++named > types_named) break;
    reason += (named > 1 ? ", " : "") + std::string(name);
  }
  if (named > types_named) reason += ", ...";
  turn_.reasons.push_back(std::move(reason));
  return refuse_with(Refusal::NotKnown, turn_.reasons.back());
}

Verdict TaskService::judge_room(const SessionLink& link, const SubmitItem& item) const {
  if (!admitted_) return refuse_with(Refusal::Exhausted, refusal_, later);
  if (submissions_.size() >= limits_.submissions ||
      submissions_.bytes() + item.work.size() > limits_.submission_bytes) {
    return refuse_with(Refusal::Exhausted, "the broker's journal is behind", soon);
  }
  const StateUsage& usage = usage_;
  const auto most = static_cast<std::size_t>(config_.of(ConfigKey::TasksMost));
  if (usage.tasks + submissions_.size() >= std::min(limits_.tasks, most)) {
    return refuse_with(Refusal::Exhausted, "the broker holds as many tasks as it can", later);
  }
  if (usage.memory_used + submissions_.bytes() >= limits_.state_bytes) {
    return refuse_with(Refusal::Exhausted, "the broker has no memory for more tasks", later);
  }
  if (usage.held_bytes >= limits_.held_bytes) {
    return refuse_with(Refusal::Exhausted, "too many results and keys are kept: results have to be fetched",
                       later);
  }
  if (usage.window_bytes >= limits_.window_bytes) {
    return refuse_with(Refusal::Exhausted, "too many submissions of all sessions are unanswered", later);
  }
  if (link.session == 0 && !link.opening && usage.sessions >= limits_.sessions) {
    return refuse_with(Refusal::Exhausted, "the broker has as many sessions as it can", later);
  }
  return {};
}

// A key stands for one request: the same once more is the same task, and another is its sender's mistake, who
// would be given a result of something else.
Verdict TaskService::judge_key(const SubmitItem& item) {
  if (item.options.key.empty()) return {};
  const TaskHandle same = state_->find_key(item.options.key);
  if (same == 0) {
    const auto asked = submissions_.asked_under(item.options.key);
    if (!asked || *asked == hash_request(item)) return {};
    return refuse_with(Refusal::NameTaken,
                       "a submission on its way has this key, and asks for something else; "
                       "give another key");
  }
  const TaskSlot& task = state_->task(same);
  const bool same_type = state_->types().name(task.type) == item.type;
  if (!same_type || asked_by(state_->work(task)) != asked_by(item.work)) {
    turn_.reasons.push_back("task " + to_text(task.id) + " has this key, with " +
                            (same_type ? "other inputs or parameters" : "another type") +
                            "; give another key, or submit the same as then");
    return refuse_with(Refusal::NameTaken, turn_.reasons.back());
  }
  if (state_->rare(same).echoes >= limits::echoes_a_task) {
    return refuse_with(Refusal::Exhausted, "too many submissions have this key", later);
  }
  return {};
}

void TaskService::propose_submission(SessionLink& link, const Submit& submit, const SubmitItem& item) {
  if (link.session == 0 && !link.opening) {
    propose(RecordType::SessionOpen, SessionRecord{submit.session}, Urgency::Now);
    link.opening = true;
  }
  const SubmitRecord record{submit.session, item.seq, submit.low_water, item.type, item.options, item.work};
  const LogIndex index = propose(RecordType::Submit, record, Urgency::Now);
  const auto bytes = static_cast<std::uint32_t>(item.work.size());
  const SubmissionOnTheWay submission{index, links_.ref_of(link), link.peer, bytes};
  submissions_.push(submission, item.options.key, item.options.key.empty() ? 0 : hash_request(item));
  ++link.unanswered;
}

void TaskService::answer_accepted(SessionLink& link, const AcceptedItem& item) {
  if (TurnLists::append(turn_.accepted, link.accepted_first, link.accepted_last, item)) {
    turn_.accepted_links.push_back(links_.ref_of(link));
  }
}

void TaskService::send_accepted() {
  auto& message = std::get<Accepted>(turn_.accepted_message);
  message.durability = limits_.durability;
  for (const LinkRef ref : turn_.accepted_links) {
    SessionLink* link = links_.get(ref);
    if (link == nullptr) continue;
    message.session = link->id;
    message.items.clear();
    for (std::uint32_t place = link->accepted_first; place != 0; place = turn_.accepted[place - 1].next) {
      message.items.push_back(turn_.accepted[place - 1].item);
      if (message.items.size() < limits_.items_a_message) continue;
      output_.send(link->peer, turn_.accepted_message);
      message.items.clear();
    }
    if (!message.items.empty()) output_.send(link->peer, turn_.accepted_message);
    link->accepted_first = link->accepted_last = 0;
  }
  turn_.accepted.clear();
  turn_.accepted_links.clear();
}

// ---- sessions

// What the client has not had is pushed again; what the broker has dropped as too old cannot be.
void TaskService::on_session_resume(Now now, Peer peer, const SessionResume& resume) {
  const SessionHandle session = state_->find(resume.session);
  if (session == 0 || resume.cursor < state_->session(session).cursor) {
    return refuse(peer, Refusal::SessionExpired, "the session has expired: open another");
  }
  if (resume.cursor >= state_->session(session).next_rseq) {
    return refuse(peer, Refusal::BadMessage, "the cursor is beyond the session's last result");
  }
  SessionLink& link = link_for(now, peer, resume.session);
  link.pushed = resume.cursor;
  link.last = 0;
  link.bytes_out = 0;
  on_result_ack(now, peer, {resume.session, resume.cursor});
}

void TaskService::on_session_close(const SessionClose& close) {
  const SessionLink* link = links_.find(close.session);
  if (state_->find(close.session) == 0 && (link == nullptr || !link->opening)) return;
  propose(RecordType::SessionClose, SessionRecord{close.session}, Urgency::Lazy);
}

// A connected client need not say anything for its session to live; a record of it is written now and then.
void TaskService::renew_sessions(Now now) {
  const Duration period = renewal_of(state_->state_limits());
  for (std::size_t step = 0; step < limits::items_a_message; ++step) {
    SessionLink* link = links_.first_to_renew();
    if (link == nullptr || link->renew_at > now.monotonic) return;
    links_.renew_later(*link, now.monotonic + period);
    if (link->session == 0) continue;
    const auto silent = Duration(now.wall - state_->session(link->session).contact);
    if (silent >= period) propose(RecordType::SessionRenew, SessionRecord{link->id}, Urgency::Lazy);
  }
  more_ = true;
}

// ---- results

void TaskService::on_result_ack(Now now, Peer peer, const ResultAck& ack) {
  const SessionHandle session = state_->find(ack.session);
  if (session == 0) return refuse(peer, Refusal::SessionExpired, "the session has expired: open another");
  SessionLink& link = link_for(now, peer, ack.session);
  const SessionSlot& slot = state_->session(session);
  const std::uint64_t cursor = std::min(ack.cursor, slot.next_rseq - 1);
  if (cursor > link.acknowledged) {
    const std::uint64_t out = link.pushed > link.acknowledged ? link.pushed - link.acknowledged : 1;
    const std::uint64_t left = link.pushed > cursor ? link.pushed - cursor : 0;
    link.bytes_out = link.bytes_out / out * left;
    link.acknowledged = cursor;
  }
  if (cursor > link.pushed) {
    link.pushed = cursor;
    link.last = 0;
  }
  results_due(link);
  if (link.acknowledged <= std::max(link.proposed, slot.cursor) || link.acknowledgement_due) return;
  link.acknowledgement_due = true;
  turn_.acknowledgement_links.push_back(links_.ref_of(link));
}

// At most one record a session and turn, and no more in it than one turn can clear away.
void TaskService::propose_acknowledgements() {
  std::vector<LinkRef> links;
  links.swap(turn_.acknowledgement_links);
  for (const LinkRef ref : links) {
    SessionLink* link = links_.get(ref);
    if (link == nullptr || link->session == 0) continue;
    const std::uint64_t from = std::max(link->proposed, state_->session(link->session).cursor);
    const std::uint64_t cursor = std::min(link->acknowledged, from + limits_.results_pushed);
    link->acknowledgement_due = cursor < link->acknowledged;
    if (link->acknowledgement_due) {
      turn_.acknowledgement_links.push_back(ref);
      more_ = true;
    }
    if (cursor <= from) continue;
    link->proposed = cursor;
    propose(RecordType::ResultAck, ResultAckRecord{link->id, cursor}, Urgency::Lazy);
  }
}

void TaskService::results_due(SessionLink& link) {
  if (link.results_due || link.session == 0) return;
  link.results_due = true;
  turn_.result_links.push_back(links_.ref_of(link));
}

// Session by session, and those that are left in the next turn.
void TaskService::send_results() {
  std::size_t pushed = 0;
  std::size_t done = 0;
  for (; done < turn_.result_links.size() && pushed < limits_.results_a_turn; ++done) {
    SessionLink* link = links_.get(turn_.result_links[done]);
    if (link == nullptr) continue;
    link->results_due = false;
    if (link->session != 0) pushed += push_results(*link);
  }
  turn_.result_links.erase(turn_.result_links.begin(),
                           turn_.result_links.begin() + static_cast<std::ptrdiff_t>(done));
  if (!turn_.result_links.empty()) more_ = true;
}

// The claim after the last one pushed; 0 when all were.
ClaimHandle TaskService::next_to_push(const SessionLink& link) const {
  const SessionSlot& session = state_->session(link.session);
  if (link.last != 0 && session.cursor < link.pushed) return state_->claim(link.last).next;
  ClaimHandle claim = session.owed_first;
  while (claim != 0 && state_->claim(claim).rseq <= link.pushed) claim = state_->claim(claim).next;
  return claim;
}

// How many.
std::size_t TaskService::push_results(SessionLink& link) {
  auto& message = std::get<Results>(turn_.results_message);
  message.session = link.id;
  message.items.clear();
  std::size_t bytes = 0;
  std::size_t pushed = 0;
  const std::uint64_t cursor = std::max(link.acknowledged, state_->session(link.session).cursor);
  link.pushed = std::max(link.pushed, cursor);
  for (ClaimHandle handle = next_to_push(link); handle != 0;) {
    if (link.pushed - cursor >= limits_.results_pushed || link.bytes_out >= limits_.result_bytes_pushed)
      break;
    const Claim& claim = state_->claim(handle);
    ENSURE(claim.rseq == link.pushed + 1, "rseq", claim.rseq, "pushed", link.pushed);
    ResultItem& item = message.items.emplace_back();
    item = {claim.rseq, claim.seq, state_->info(state_->task_of(handle))};
    item.info.work = {};  // the client knows what it asked for
    const std::size_t size = result_row_bytes + item.info.result.size() + item.info.error.size();
    bytes += size;
    ++pushed;
    link.bytes_out += size;
    link.pushed = claim.rseq;
    link.last = handle;
    handle = claim.next;
    if (message.items.size() < limits_.items_a_message && bytes < limits_.message_bytes) continue;
    output_.send(link.peer, turn_.results_message);
    message.items.clear();
    bytes = 0;
  }
  if (!message.items.empty()) output_.send(link.peer, turn_.results_message);
  return pushed;
}

}  // namespace cidbus
