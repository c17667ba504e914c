#include "leecher/core/outbox.h"

#include <algorithm>

#include "shared/base/ensure.h"
#include "shared/base/limits/leecher.h"
#include "shared/base/limits/times.h"

namespace cidbus {
namespace {

std::size_t& count_of(Outbox::Counts& counts, Outbox::State state) {
  switch (state) {
    case Outbox::State::Waiting:
      return counts.waiting;
    case Outbox::State::HandedIn:
      return counts.handed_in;
    case Outbox::State::Refused:
      return counts.refused;
    case Outbox::State::Cancelled:
      break;
  }
  return counts.cancelled;
}

QueuedEntry queued_entry(std::uint64_t number, const Outbox::Item& item) {
  QueuedEntry entry{number, item.session, item.seq, item.queued_at, item.type, item.options, item.work};
  entry.options.key = item.key;
  return entry;
}

}  // namespace

bool Outbox::replay(ByteView payload) {
  OutboxEntry entry;
  return decode(payload, entry) && apply(entry);
}

bool Outbox::apply(const OutboxEntry& entry) {
  if (const auto* queued = std::get_if<QueuedEntry>(&entry)) return add(*queued);
  if (const auto* handed = std::get_if<HandedInEntry>(&entry))
    return settle(handed->item, State::HandedIn, handed->at, handed->task, {});
  if (const auto* refused = std::get_if<RefusedEntry>(&entry)) {
    const State state = refused->cancelled ? State::Cancelled : State::Refused;
    return settle(refused->item, state, refused->at, {}, refused->reason);
  }
  if (const auto* forgotten = std::get_if<ForgottenEntry>(&entry)) return forget(forgotten->item);
  last_number_ = std::max(last_number_, std::get<NumberedEntry>(entry).last);
  return true;
}

void Outbox::change(const OutboxEntry& entry) {
  entries_.push_back(encode(entry));
  ENSURE(apply(entry), "entry", entry.index());
}

bool Outbox::add(const QueuedEntry& entry) {
  const bool fresh = places_.emplace(Place(entry.session, entry.seq), entry.item).second;
  if (!fresh || items_.contains(entry.item)) return false;
  Item item{entry.session,
            entry.seq,
            std::string(entry.type),
            std::string(entry.options.key),
            entry.options,
            to_bytes(entry.work),
            entry.at,
            {},
            State::Waiting,
            {},
            {},
            false};
  item.options.key = {};
  counts_.waiting += 1;
  counts_.waiting_bytes += item.work.size();
  items_.emplace(entry.item, std::move(item));
  waiting_.insert(entry.item);
  last_number_ = std::max(last_number_, entry.item);
  return true;
}

bool Outbox::settle(std::uint64_t number, State state, WallTime at, TaskId task, std::string_view reason) {
  const auto place = items_.find(number);
  if (place == items_.end() || place->second.state != State::Waiting) return false;
  Item& item = place->second;
  waiting_.erase(number);
  counts_.waiting -= 1;
  counts_.waiting_bytes -= item.work.size();
  if (state == State::HandedIn) item.work = {};  // the brokers tell of it from here on
  item.state = state;
  item.settled_at = at;
  item.task = task;
  item.reason = reason;
  count_of(counts_, state) += 1;
  return true;
}

bool Outbox::forget(std::uint64_t number) {
  const auto place = items_.find(number);
  if (place == items_.end()) return false;
  const Item& item = place->second;
  if (item.state == State::Waiting) counts_.waiting_bytes -= item.work.size();
  count_of(counts_, item.state) -= 1;
  waiting_.erase(number);
  places_.erase(Place(item.session, item.seq));
  items_.erase(place);
  return true;
}

bool Outbox::has_room(std::size_t work_bytes) const {
  return counts_.waiting < limits::outbox_waiting &&
         counts_.waiting_bytes + work_bytes <= limits::outbox_waiting_bytes &&
         items_.size() < limits::outbox_waiting + limits::outbox_settled_most;
}

TaskId Outbox::queue(WallTime now, const SessionId& session, const SubmitItem& submitted, std::string key) {
  ENSURE(has_room(submitted.work.size()) && find(session, submitted.seq) == TaskId{} && !key.empty());
  QueuedEntry entry{last_number_ + 1, session,           submitted.seq, now,
                    submitted.type,   submitted.options, submitted.work};
  entry.options.key = key;
  change(entry);
  return outbox_item(last_number_);
}

void Outbox::hand_in(WallTime now, TaskId name, TaskId task) {
  change(HandedInEntry{outbox_number(name), now, task});
}
void Outbox::refuse(WallTime now, TaskId name, std::string_view reason) {
  change(RefusedEntry{outbox_number(name), now, false, reason});
}
void Outbox::cancel(WallTime now, TaskId name) {
  change(RefusedEntry{outbox_number(name), now, true, "cancelled before it was handed in"});
}
void Outbox::drop(TaskId name) { change(ForgottenEntry{outbox_number(name)}); }

void Outbox::close_session(const SessionId& session) {
  for (const TaskId name : items_of(session)) items_.at(outbox_number(name)).asked_done = true;
}

void Outbox::clear_away(WallTime now) {
  std::size_t settled = items_.size() - waiting_.size();
  for (auto at = items_.begin(); at != items_.end() && settled > limits::outbox_settled;) {
    const auto& [number, item] = *at++;
    if (item.state == State::Waiting) continue;
    if (!item.asked_done && now - item.settled_at < limits::session_ttl) continue;
    --settled;
    change(ForgottenEntry{number});
  }
}

const Outbox::Item* Outbox::find(TaskId name) const {
  const auto place = items_.find(outbox_number(name));
  return is_outbox_item(name) && place != items_.end() ? &place->second : nullptr;
}

TaskId Outbox::find(const SessionId& session, std::uint64_t seq) const {
  const auto place = places_.find(Place(session, seq));
  return place == places_.end() ? TaskId{} : outbox_item(place->second);
}

std::vector<TaskId> Outbox::items_of(const SessionId& session) const {
  std::vector<TaskId> names;
  for (auto at = places_.lower_bound(Place(session, 0)); at != places_.end(); ++at) {
    if (at->first.first != session) break;
    names.push_back(outbox_item(at->second));
  }
  return names;
}

TaskId Outbox::next() const { return waiting_.empty() ? TaskId{} : outbox_item(*waiting_.begin()); }

std::vector<Bytes> Outbox::image() const {
  std::vector<Bytes> entries;
  for (const auto& [number, item] : items_) {
    entries.push_back(encode(queued_entry(number, item)));
    if (item.state == State::HandedIn) {
      entries.push_back(encode(HandedInEntry{number, item.settled_at, item.task}));
    } else if (item.state != State::Waiting) {
      const bool cancelled = item.state == State::Cancelled;
      entries.push_back(encode(RefusedEntry{number, item.settled_at, cancelled, item.reason}));
    }
  }
  entries.push_back(encode(NumberedEntry{last_number_}));
  return entries;
}

void Outbox::check_invariants() const {
  Counts sums;
  for (const auto& [number, item] : items_) {
    ENSURE(number <= last_number_ && !item.key.empty(), "item", number);
    ENSURE(waiting_.contains(number) == (item.state == State::Waiting), "item", number);
    ENSURE(places_.at(Place(item.session, item.seq)) == number, "item", number);
    count_of(sums, item.state) += 1;
    if (item.state == State::Waiting) sums.waiting_bytes += item.work.size();
  }
  ENSURE(places_.size() == items_.size() && waiting_.size() == counts_.waiting);
  ENSURE(sums.waiting == counts_.waiting && sums.waiting_bytes == counts_.waiting_bytes &&
         sums.handed_in == counts_.handed_in && sums.refused == counts_.refused &&
         sums.cancelled == counts_.cancelled);
}

}  // namespace cidbus
