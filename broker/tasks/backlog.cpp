#include "broker/tasks/backlog.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include "shared/base/ensure.h"

namespace cidbus {

TypeNumber TypeSet::next_common(const TypeSet& other, TypeNumber last) const {
  const std::size_t words = std::min(words_.size(), other.words_.size());
  if (words == 0) return 0;
  const std::size_t start = (last + std::size_t{1}) / 64;
  for (std::size_t step = 0; step <= words; ++step) {
    const std::size_t word = (start + step) % std::max(words, start + 1);
    if (word >= words) continue;
    std::uint64_t common = words_[word] & other.words_[word];
    if (step == 0) common &= ~std::uint64_t{0} << ((last + 1U) % 64);
    if (common != 0)
      return static_cast<TypeNumber>(word * 64 + static_cast<unsigned>(std::countr_zero(common)));
  }
  return 0;
}

bool Backlog::is_empty(TypeNumber type, std::size_t priority, Lane lane) {
  return head(type, priority, lane).next == (head_of(type, priority, lane) | Positions::head_bit);
}

void Backlog::mark(TypeNumber type, std::size_t priority) {
  if (waiting_[priority].has(type)) return;
  waiting_[priority].add(type);
  ++waiting_types_[priority];
  ++ready_types_;
}

void Backlog::push(TaskHandle task, TypeNumber type, std::uint8_t priority, Lane lane, WallTime now) {
  const std::size_t number = head_of(type, priority, lane);
  if (number >= positions_.heads()) positions_.add_heads((type + std::size_t{1}) * priorities * lanes);
  const auto end = static_cast<Handle>(number) | Positions::head_bit;
  Position& position = positions_[task];
  ENSURE(position.previous == 0 && position.next == 0, "task", task);
  position = {positions_[end].previous, end};
  positions_[position.previous].next = task;
  positions_[end].previous = task;
  ++size_;
  if (type >= sizes_.size()) sizes_.resize(type + std::size_t{1});
  if (sizes_[type]++ == 0) {
    if (type >= since_.size()) since_.resize(type + std::size_t{1});
    since_[type] = now;
  }
  if (lane != Lane::Held) mark(type, priority);
}

void Backlog::remove(TaskHandle task, TypeNumber of_type) {
  const Position position = positions_[task];
  ENSURE(position.previous != 0, "task", task);
  positions_[position.previous].next = position.next;
  positions_[position.next].previous = position.previous;
  positions_[task] = {};
  --size_;
  --sizes_[of_type];
  if (position.next != position.previous) return;
  // Its queue is empty now, and the position left over is the queue's head.
  const std::size_t number = position.next & ~Positions::head_bit;
  const auto lane = static_cast<Lane>(number % lanes);
  const auto type = static_cast<TypeNumber>(number / lanes / priorities);
  const std::size_t priority = number / lanes % priorities;
  if (lane == Lane::Held || !waiting_[priority].has(type)) return;
  if (!is_empty(type, priority, Lane::Again) || !is_empty(type, priority, Lane::Fresh)) return;
  waiting_[priority].remove(type);
  --waiting_types_[priority];
  --ready_types_;
}

TaskHandle Backlog::pop(const TypeSet& types) {
  if (ready_types_ == 0) return 0;
  for (std::size_t priority = priorities; priority-- > 0;) {
    if (waiting_types_[priority] == 0) continue;
    const TypeNumber type = waiting_[priority].next_common(types, last_[priority]);
    if (type == 0) continue;
    last_[priority] = type;
    const Lane lane = is_empty(type, priority, Lane::Again) ? Lane::Fresh : Lane::Again;
    const TaskHandle task = head(type, priority, lane).next;
    remove(task, type);
    return task;
  }
  return 0;
}

std::vector<TaskHandle> Backlog::fronts_of(TypeNumber type) {
  std::vector<TaskHandle> fronts;
  for (std::size_t priority = 0; priority < priorities && size_of(type) > 0; ++priority) {
    for (const Lane lane : {Lane::Again, Lane::Fresh, Lane::Held}) {
      if (head_of(type, priority, lane) < positions_.heads() && !is_empty(type, priority, lane))
        fronts.push_back(head(type, priority, lane).next);
    }
  }
  return fronts;
}

void Backlog::release_held() {
  for (std::size_t number = 0; number < positions_.heads(); number += lanes) {
    const auto type = static_cast<TypeNumber>(number / lanes / priorities);
    const std::size_t priority = number / lanes % priorities;
    if (is_empty(type, priority, Lane::Held)) continue;
    const auto held_head = static_cast<Handle>(head_of(type, priority, Lane::Held)) | Positions::head_bit;
    const auto again_head = static_cast<Handle>(head_of(type, priority, Lane::Again)) | Positions::head_bit;
    const Position held = positions_[held_head];
    const Handle first = positions_[again_head].next;
    positions_[held.next].previous = again_head;
    positions_[held.previous].next = first;
    positions_[first].previous = held.previous;
    positions_[again_head].next = held.next;
    positions_[held_head] = {held_head, held_head};
    mark(type, priority);
  }
}

void Backlog::check_invariants() const {
  std::size_t counted = 0;
  for (std::size_t number = 0; number < positions_.heads(); ++number) {
    const auto end = static_cast<Handle>(number) | Positions::head_bit;
    const auto type = static_cast<TypeNumber>(number / lanes / priorities);
    const std::size_t priority = number / lanes % priorities;
    Handle previous = end;
    for (Handle task = positions_[end].next; task != end; task = positions_[task].next) {
      ENSURE(positions_[task].previous == previous, "task", task);
      previous = task;
      ++counted;
    }
    ENSURE(positions_[end].previous == previous, "queue", number);
    const bool waits = previous != end && static_cast<Lane>(number % lanes) != Lane::Held;
    if (waits) ENSURE(waiting_[priority].has(type), "queue", number);
  }
  ENSURE(counted == size_, "counted", counted, "size", size_);
  const auto by_type = std::accumulate(sizes_.begin(), sizes_.end(), std::size_t{0});
  ENSURE(by_type == size_, "by type", by_type, "size", size_);
}

}  // namespace cidbus
