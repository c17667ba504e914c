#include <algorithm>
#include <optional>

#include "leecher/core/desk.h"
#include "shared/base/limits/leecher.h"

namespace cidbus {
namespace {

using std::chrono::milliseconds;

// Its own waits are told by it from questions passed on.
constexpr RequestId wait_request{std::uint64_t{1} << 62};
// A command that does not wait for its result closes its session within that time.
constexpr Duration ask_after = milliseconds(20);
constexpr milliseconds cut_off_retry{1000};

TaskState state_of(Outbox::State state) {
  if (state == Outbox::State::Cancelled) return TaskState::Cancelled;
  return state == Outbox::State::Refused ? TaskState::Failed : TaskState::Pending;
}

TaskInfo named(TaskId name, TaskInfo info) {
  info.task = name;
  return info;
}

}  // namespace

TaskInfo info_of(TaskId name, const Outbox::Item& item) {
  TaskInfo info;
  info.task = name;
  info.type = item.type;
  info.state = state_of(item.state);
  info.priority = item.options.priority;
  info.work = item.work;
  info.error = item.reason;
  info.submitted_at = item.queued_at;
  info.finished_at = item.settled_at;
  info.key = item.key;
  return info;
}

// ---- passing on

void Desk::tell_cut_off(Guest guest) {
  output_.tell(guest, Refused{Refusal::Exhausted,
                              "leecher " + settings_.name + " is cut off from the brokers since " +
                                  to_rfc3339(since_) + " and cannot tell; ask again once they are back",
                              cut_off_retry});
}

template <typename Asked>
void Desk::pass_on(Guest guest, Asked message, std::vector<TaskId> asked,
                   std::vector<std::pair<TaskId, CancelAnswer>> settled) {
  if (questions_.size() >= limits::desk_questions) {
    return output_.tell(guest, Refused{Refusal::Exhausted,
                                       "this leecher has too many questions to pass on; "
                                       "try again later",
                                       cut_off_retry});
  }
  questions_.emplace(++last_request_, Question{guest, message.request, std::move(asked), std::move(settled)});
  message.request = {last_request_};
  output_.ask(message);
}

std::optional<Desk::Question> Desk::take_question(RequestId request) {
  auto taken = questions_.extract(request.value);
  return taken.empty() ? std::nullopt : std::optional(std::move(taken.mapped()));
}

void Desk::on_leader_message(Now, const Message& message) {
  if (const auto* infos = std::get_if<TaskInfos>(&message)) return on_infos(*infos);
  if (const auto* answers = std::get_if<CancelAnswers>(&message)) return on_cancelled(*answers);
  if (const auto* providers = std::get_if<Providers>(&message)) return on_providers(*providers);
  if (const auto* placement = std::get_if<Placement>(&message)) return pass_back(*placement);
  if (const auto* snapshot = std::get_if<Snapshot>(&message)) return pass_back(*snapshot);
  if (const auto* names = std::get_if<ContentNames>(&message)) return pass_back(*names);
}

template <typename Answer>
void Desk::pass_back(Answer answer) {
  const auto question = take_question(answer.request);
  if (!question) return;
  answer.request = question->request;
  output_.tell(question->guest, answer);
}

// ---- tasks

// The ids of those that the brokers know.
std::vector<TaskId> Desk::tasks_of(const std::vector<TaskId>& asked) const {
  std::vector<TaskId> tasks;
  for (const TaskId id : asked) {
    if (!is_outbox_item(id)) {
      tasks.push_back(id);
    } else if (const auto* item = outbox_.find(id); item != nullptr && item->task != TaskId{}) {
      tasks.push_back(item->task);
    }
  }
  return tasks;
}

void Desk::on_query(Guest guest, const TaskQuery& query) {
  std::vector<TaskId> tasks = tasks_of(query.tasks);
  if (tasks.empty()) {
    Question here{guest, query.request, query.tasks, {}};
    return answer_query(here, {});
  }
  if (!online_) return tell_cut_off(guest);
  pass_on(guest, TaskQuery{query.request, query.kind, std::move(tasks)}, query.tasks);
}

void Desk::on_infos(const TaskInfos& infos) {
  if (infos.request == wait_request) {
    for (const TaskInfo& info : infos.tasks) {
      if (is_final(info.state)) on_final(info, info.task);
    }
    for (const TaskId id : infos.unknown) on_unknown(id);
  } else if (const auto question = questions_.find(infos.request.value); question != questions_.end()) {
    // A list is cut where it says `more`; of a question by id there is more to come.
    const bool is_last = question->second.asked.empty() || !infos.more;
    answer_query(question->second, infos);
    if (is_last) questions_.erase(question);
  }
}

// In the order asked, each under the id it was asked for; a list as it came. What a leader's answer does not
// tell of waits for the rest of it.
void Desk::answer_query(Question& question, const TaskInfos& from_leader) {
  TaskInfos answer = from_leader;
  answer.request = question.request;
  if (!question.asked.empty()) {
    answer.tasks.clear();
    answer.unknown.clear();
  }
  std::vector<TaskId> untold;
  for (const TaskId id : question.asked) {
    const Outbox::Item* item = is_outbox_item(id) ? outbox_.find(id) : nullptr;
    const TaskId task = item != nullptr ? item->task : id;
    const auto told = std::find_if(from_leader.tasks.begin(), from_leader.tasks.end(),
                                   [task](const TaskInfo& info) { return info.task == task; });
    if (told != from_leader.tasks.end()) {
      answer.tasks.push_back(named(id, *told));
    } else if (from_leader.more) {
      untold.push_back(id);
    } else if (item != nullptr && task == TaskId{}) {
      answer.tasks.push_back(info_of(id, *item));
    } else {
      answer.unknown.push_back(id);
    }
  }
  question.asked = std::move(untold);
  output_.tell(question.guest, answer);
}

void Desk::on_list(Guest guest, const TaskList& list) {
  if (online_) return pass_on(guest, list);
  TaskInfos answer{list.request, {}, {}, false};
  for (auto at = outbox_.items().rbegin(); at != outbox_.items().rend(); ++at) {
    const TaskId name = outbox_item(at->first);
    const Outbox::Item& item = at->second;
    const bool older = list.before == TaskId{} || name < list.before;
    const bool wanted =
        (!list.state || *list.state == state_of(item.state)) && (list.type.empty() || list.type == item.type);
    if (!older || !wanted || item.state == Outbox::State::HandedIn) continue;
    answer.more = answer.tasks.size() >= std::min<std::size_t>(list.limit, limits::items_a_message);
    if (answer.more) break;
    answer.tasks.push_back(info_of(name, item));
  }
  output_.tell(guest, answer);
}

void Desk::on_cancel(Now now, Guest guest, const Cancel& cancel) {
  const std::vector<TaskId> tasks = tasks_of(cancel.tasks);
  const auto is_going = [this](TaskId id) { return handing_in_ != TaskId{} && id == handing_in_; };
  if (!tasks.empty() && !online_) return tell_cut_off(guest);
  if (std::any_of(cancel.tasks.begin(), cancel.tasks.end(), is_going)) {
    return output_.tell(
        guest, Refused{Refusal::Exhausted, "it is being handed in; try again in a moment", cut_off_retry});
  }
  std::vector<std::pair<TaskId, CancelAnswer>> settled;
  for (const TaskId id : cancel.tasks) {
    if (!is_outbox_item(id)) continue;
    const Outbox::Item* item = outbox_.find(id);
    if (item == nullptr) {
      settled.emplace_back(id, CancelAnswer::Unknown);
    } else if (item->state == Outbox::State::Waiting) {
      outbox_.cancel(now.wall, id);
      tell_local_end(id);
      settled.emplace_back(id, CancelAnswer::Cancelled);
    } else if (item->state != Outbox::State::HandedIn) {
      settled.emplace_back(id, CancelAnswer::AlreadyFinal);
    }
  }
  if (tasks.empty()) return output_.tell(guest, CancelAnswers{cancel.request, std::move(settled)});
  pass_on(guest, Cancel{cancel.request, tasks}, cancel.tasks, std::move(settled));
}

void Desk::on_cancelled(const CancelAnswers& answers) {
  auto question = take_question(answers.request);
  if (!question) return;
  CancelAnswers told{question->request, std::move(question->settled)};
  for (const TaskId id : question->asked) {
    const Outbox::Item* item = is_outbox_item(id) ? outbox_.find(id) : nullptr;
    const TaskId task = item != nullptr ? item->task : id;
    const auto answer = std::find_if(answers.answers.begin(), answers.answers.end(),
                                     [task](const auto& one) { return one.first == task; });
    if (answer != answers.answers.end()) told.answers.emplace_back(id, answer->second);
  }
  output_.tell(question->guest, told);
}

// ---- waits

void Desk::on_wait(Guest guest, const TaskQuery& query) {
  if (watcher_count_ + query.tasks.size() > limits::desk_questions) {
    return output_.tell(
        guest, Refused{Refusal::Exhausted, "too many wait at this leecher; try again later", cut_off_retry});
  }
  TaskInfos now_known{query.request, {}, {}, false};
  for (const TaskId id : query.tasks) {
    const Outbox::Item* item = is_outbox_item(id) ? outbox_.find(id) : nullptr;
    if (is_outbox_item(id) && item == nullptr) {
      now_known.unknown.push_back(id);
    } else if (item != nullptr && is_final(state_of(item->state))) {
      now_known.tasks.push_back(info_of(id, *item));
    } else {
      const bool has_task = item != nullptr && item->task != TaskId{};
      watch(has_task ? item->task : id, {guest, query.request, id, {}, 0});
    }
  }
  if (!now_known.tasks.empty() || !now_known.unknown.empty()) output_.tell(guest, now_known);
}

// A question asked again takes the place of its first time.
void Desk::watch(TaskId id, Watcher watcher) {
  auto& watchers = watchers_[id];
  const bool known = std::any_of(watchers.begin(), watchers.end(), [&](const Watcher& one) {
    return one.guest == watcher.guest && one.request == watcher.request && one.session == watcher.session &&
           one.seq == watcher.seq && one.asked == watcher.asked;
  });
  if (!known) {
    watchers.push_back(watcher);
    ++watcher_count_;
  }
  if (is_outbox_item(id)) return;
  unasked_.insert(id);
  if (ask_at_ == Monotonic::max()) ask_at_ = Monotonic::min();
}

void Desk::on_final(const TaskInfo& info, TaskId id) {
  auto told = watchers_.extract(id);
  if (told.empty()) return;
  watcher_count_ -= told.mapped().size();
  for (const Watcher& watcher : told.mapped()) {
    if (watcher.guest != Guest{}) {
      output_.tell(watcher.guest, TaskInfos{watcher.request, {named(watcher.asked, info)}, {}, false});
    } else if (!push(watcher.session, watcher.seq, info)) {
      watch(id, watcher);  // asked for again once others are acknowledged
    }
  }
}

void Desk::on_unknown(TaskId id) {
  auto told = watchers_.extract(id);
  if (told.empty()) return;
  watcher_count_ -= told.mapped().size();
  TaskInfo lost;
  lost.task = id;
  lost.type = "unknown";
  lost.state = TaskState::Failed;
  lost.error = "the brokers do not know any more how this task ended";
  for (const Watcher& watcher : told.mapped()) {
    if (watcher.guest != Guest{}) {
      output_.tell(watcher.guest, TaskInfos{watcher.request, {}, {watcher.asked}, false});
    } else {
      push(watcher.session, watcher.seq, lost);
    }
  }
}

// Of an item that ended here: refused or cancelled.
void Desk::tell_local_end(TaskId name) {
  const Outbox::Item& item = *outbox_.find(name);
  const TaskInfo info = info_of(name, item);
  on_final(info, name);
  const auto session = sessions_.find(item.session);
  if (session == sessions_.end() || owed_.contains(name)) return;
  if (session->second.watched.insert(item.seq).second) push(item.session, item.seq, info);
}

void Desk::ask_waits(Now now) {
  if (!online_ || unasked_.empty()) return;
  if (ask_at_ == Monotonic::min()) ask_at_ = now.monotonic + ask_after;
  if (now.monotonic < ask_at_ || result_bytes_ >= limits::desk_result_bytes) return;
  TaskQuery query{wait_request, TaskQuery::Kind::Wait, {}};
  while (!unasked_.empty() && query.tasks.size() < limits::items_a_message) {
    const TaskId id = unasked_.extract(unasked_.begin()).value();
    const auto place = watchers_.find(id);
    if (place == watchers_.end()) continue;
    watcher_count_ -= std::erase_if(place->second, [&](const Watcher& one) {
      return one.guest == Guest{} && !sessions_.contains(one.session);
    });
    if (place->second.empty()) {
      watchers_.erase(place);
    } else {
      query.tasks.push_back(id);
    }
  }
  ask_at_ = unasked_.empty() ? Monotonic::max() : now.monotonic;
  if (!query.tasks.empty()) output_.ask(query);
}

// ---- content

void Desk::on_find(Guest guest, const Find& find) {
  if (online_) return pass_on(guest, find);
  Providers answer{find.request, {{settings_.name, settings_.exchange}}, {}};
  bool any = false;
  for (const BlockKey& key : find.blocks) {
    answer.blocks.push_back({key, {}});
    if (!output_.holds(key)) continue;
    answer.blocks.back().holders.push_back(0);
    any = true;
  }
  any ? output_.tell(guest, answer)
      : tell_cut_off(guest);  // that nobody holds it would be more than it knows
}

void Desk::on_providers(const Providers& providers) {
  const auto question = take_question(providers.request);
  if (!question) return;
  Providers answer{question->request, {{settings_.name, settings_.exchange}}, {}};
  for (const Found& found : providers.blocks) {
    answer.blocks.push_back({found.block, {}});
    if (!found.holders.empty() || output_.holds(found.block)) answer.blocks.back().holders.push_back(0);
  }
  output_.tell(question->guest, answer);
}

void Desk::on_place(Guest guest, const Place& place) {
  if (online_) return pass_on(guest, place);
  Placement answer{place.request, {}, 1};
  const bool excluded =
      std::find(place.exclude.begin(), place.exclude.end(), settings_.name) != place.exclude.end();
  if (!excluded && place.copies > 0) answer.nodes.push_back({settings_.name, settings_.exchange});
  output_.tell(guest, answer);
}

void Desk::pass_on_or_refuse(Guest guest, const NameContent& wanted) {
  if (online_) return pass_on(guest, wanted);
  tell_cut_off(guest);
}

void Desk::pass_on_or_refuse(Guest guest, const FindContent& question) {
  if (online_) return pass_on(guest, question);
  tell_cut_off(guest);
}

void Desk::on_snapshot(Guest guest, const SnapshotRequest& request) {
  if (online_) return pass_on(guest, request);
  tell_cut_off(guest);
}

}  // namespace cidbus
