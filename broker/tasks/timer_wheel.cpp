#include "broker/tasks/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "shared/base/ensure.h"
#include "shared/base/ids.h"

namespace cidbus {
namespace {

constexpr std::int64_t latest = (std::int64_t{1} << 48) - 1;

}  // namespace

TimerWheel::TimerWheel(std::int64_t now) : now_(std::clamp<std::int64_t>(now, 0, latest)) {}

std::uint64_t TimerWheel::hash(TaskHandle task, Kind kind) {
  return mix_bits((std::uint64_t{task} << 1) | static_cast<std::uint64_t>(kind));
}

Handle TimerWheel::find(TaskHandle task, Kind kind) const {
  if (by_task_.size() == 0) return 0;
  return by_task_.find(hash(task, kind), [&](Handle entry) {
    return entries_[entry].task == task && entries_[entry].kind == kind;
  });
}

std::size_t TimerWheel::list_for(std::int64_t when) const {
  if (when <= now_) return moved;
  const auto differs = static_cast<std::uint64_t>(when ^ now_);
  const auto level = static_cast<unsigned>(63 - std::countl_zero(differs)) / slot_bits;
  return level * slots + (static_cast<std::uint64_t>(when) >> (level * slot_bits)) % slots;
}

// Lists are rings: the first entry's `previous` is the last, so that one list joins another in one step.
void TimerWheel::link(Handle entry, std::size_t list) {
  Entry& linked = entries_[entry];
  const Handle first = first_[list];
  linked.list = static_cast<std::uint16_t>(list);
  linked.next = first == 0 ? entry : first;
  linked.previous = first == 0 ? entry : entries_[first].previous;
  entries_[linked.previous].next = entry;
  entries_[linked.next].previous = entry;
  first_[list] = entry;
  if (list != moved) filled_[list / slots] |= std::uint64_t{1} << (list % slots);
}

// An entry whose list was moved as a whole still names the old one; whether it is a head tells.
void TimerWheel::unlink(Handle entry) {
  const Entry& linked = entries_[entry];
  entries_[linked.previous].next = linked.next;
  entries_[linked.next].previous = linked.previous;
  for (const std::size_t list : {std::size_t{linked.list}, moved}) {
    if (first_[list] != entry) continue;
    first_[list] = linked.next == entry ? 0 : linked.next;
    if (first_[list] == 0 && list != moved) filled_[list / slots] &= ~(std::uint64_t{1} << (list % slots));
    return;
  }
}

void TimerWheel::set(TaskHandle task, Kind kind, std::int64_t when) {
  const Handle entry = entries_.take();
  entries_[entry].when = std::clamp<std::int64_t>(when, 0, latest);
  entries_[entry].task = task;
  entries_[entry].kind = kind;
  link(entry, list_for(entries_[entry].when));
  by_task_.insert(hash(task, kind), entry);
}

void TimerWheel::clear(TaskHandle task, Kind kind) {
  if (const Handle entry = find(task, kind)) erase(entry);
}

void TimerWheel::erase(Handle entry) {
  unlink(entry);
  by_task_.erase(hash(entries_[entry].task, entries_[entry].kind), entry);
  entries_.give_back(entry);
}

void TimerWheel::move_slot(unsigned level, std::size_t slot) {
  const std::size_t list = level * slots + slot;
  const Handle first = first_[list];
  if (first == 0) return;
  first_[list] = 0;
  filled_[level] &= ~(std::uint64_t{1} << slot);
  if (const Handle joined = first_[moved]; joined != 0) {
    const Handle last = entries_[first].previous;
    const Handle moved_last = entries_[joined].previous;
    entries_[last].next = joined;
    entries_[joined].previous = last;
    entries_[moved_last].next = first;
    entries_[first].previous = moved_last;
  }
  first_[moved] = first;
}

void TimerWheel::advance(std::int64_t now, std::size_t most, std::vector<Due>& due) {
  now = std::clamp<std::int64_t>(now, now_, latest);
  for (unsigned level = 0; level < levels && now != now_; ++level) {
    const std::uint64_t before = static_cast<std::uint64_t>(now_) >> (level * slot_bits);
    const std::uint64_t after = static_cast<std::uint64_t>(now) >> (level * slot_bits);
    if (before == after) break;
    const std::uint64_t passed = std::min<std::uint64_t>(after - before, slots);
    for (std::uint64_t step = 1; step <= passed; ++step) move_slot(level, (before + step) % slots);
  }
  now_ = now;
  for (std::size_t looked = 0; looked < most && first_[moved] != 0; ++looked) {
    const Handle entry = first_[moved];
    if (entries_[entry].when <= now_) {
      due.push_back({entries_[entry].task, entries_[entry].kind});
      erase(entry);
    } else {
      unlink(entry);
      link(entry, list_for(entries_[entry].when));
    }
  }
}

std::int64_t TimerWheel::next() const {
  if (first_[moved] != 0) return now_;
  for (unsigned level = 0; level < levels; ++level) {
    if (filled_[level] == 0) continue;
    const std::uint64_t here = static_cast<std::uint64_t>(now_) >> (level * slot_bits);
    const std::uint64_t ahead = std::rotr(filled_[level], static_cast<int>((here + 1) % slots));
    const std::uint64_t step = static_cast<std::uint64_t>(std::countr_zero(ahead)) + 1;
    return static_cast<std::int64_t>((here + step) << (level * slot_bits));
  }
  return std::numeric_limits<std::int64_t>::max();
}

}  // namespace cidbus
