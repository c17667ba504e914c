#include "broker/tasks/roll.h"

#include <algorithm>

#include "shared/base/ensure.h"

namespace cidbus {
namespace {

constexpr std::size_t index_of(TaskState state) { return static_cast<std::size_t>(state); }

}  // namespace

void Roll::enter(TaskHandle task) {
  TaskSlot& slot = tasks_[task];
  if (slot.type >= types_.size()) types_.resize(slot.type + std::size_t{1});
  const Sequence& sequence = types_[slot.type];
  std::uint32_t number = sequence.empty() ? 0 : sequence.back();
  if (sequence.empty() || pages_[number]->used == entries_a_page) number = add_page(slot.type, slot.id.value);
  Page& page = *pages_[number];
  slot.place = (number << page_bits) | page.used;
  page.handles[page.used] = task;
  page.states[page.used] = static_cast<std::uint8_t>(slot.state);
  ++page.used;
  ++page.live;
  ++page.counts[index_of(slot.state)];
  ++counts_[index_of(slot.state)];
}

void Roll::set_state(const TaskSlot& slot, TaskState state) {
  Page& page = page_of(slot.place);
  std::uint8_t& byte = page.states[slot.place & (entries_a_page - 1)];
  --page.counts[byte];
  --counts_[byte];
  byte = static_cast<std::uint8_t>(state);
  ++page.counts[byte];
  ++counts_[byte];
}

void Roll::leave(const TaskSlot& slot) {
  Page& page = page_of(slot.place);
  std::uint8_t& byte = page.states[slot.place & (entries_a_page - 1)];
  ENSURE(byte != gone, "task", slot.id.value);
  --page.counts[byte];
  --counts_[byte];
  byte = gone;
  --page.live;
  if (page.live < entries_a_page / 4) tidy(slot.place >> page_bits);
}

TaskState Roll::state_at(std::uint32_t place) const {
  return static_cast<TaskState>(pages_[place >> page_bits]->states[place & (entries_a_page - 1)]);
}

std::uint32_t Roll::add_page(TypeNumber type, std::uint64_t first_id) {
  auto page = std::make_unique<Page>();
  page->type = type;
  page->first_id = first_id;
  std::uint32_t number = static_cast<std::uint32_t>(pages_.size());
  if (vacant_.empty()) {
    ENSURE(number < (1U << (32 - page_bits)), "pages", number);
    pages_.push_back(std::move(page));
  } else {
    number = vacant_.back();
    vacant_.pop_back();
    pages_[number] = std::move(page);
  }
  types_[type].push_back(number);
  ++live_pages_;
  ++listed_;
  return number;
}

void Roll::drop_page(std::size_t position, TypeNumber type) {
  const std::uint32_t number = types_[type][position];
  types_[type].erase(types_[type].begin() + static_cast<std::ptrdiff_t>(position));
  pages_[number].reset();
  vacant_.push_back(number);
  --live_pages_;
  --listed_;
}

std::size_t Roll::position_of(const Page& page) const {
  const Sequence& sequence = types_[page.type];
  const auto found = std::partition_point(sequence.begin(), sequence.end(), [&](std::uint32_t number) {
    return pages_[number]->first_id < page.first_id;
  });
  return static_cast<std::size_t>(found - sequence.begin());
}

// The page that still grows is left alone: it would only be dropped or merged again and again.
void Roll::tidy(std::uint32_t number) {
  const Page& page = *pages_[number];
  const Sequence& sequence = types_[page.type];
  if (page.used < entries_a_page) return;
  const std::size_t position = position_of(page);
  if (page.live == 0) return drop_page(position, page.type);
  for (const std::size_t other : {position - 1, position + 1}) {
    if (other >= sequence.size()) continue;  // position - 1 wraps at the first
    const Page& neighbour = *pages_[sequence[other]];
    if (neighbour.used < entries_a_page || neighbour.live + page.live > entries_a_page / 2) continue;
    const std::size_t first = std::min(position, other);
    merge(sequence[first], sequence[first + 1]);
    return drop_page(first + 1, pages_[sequence[first]]->type);
  }
}

// Both pages' entries, closed up, in `into`, which counts as filled: new tasks go to the last page.
void Roll::merge(std::uint32_t into, std::uint32_t from) {
  Page& target = *pages_[into];
  std::uint32_t at = 0;
  for (const std::uint32_t source : {into, from}) {
    const Page& page = *pages_[source];
    for (std::uint32_t entry = 0; entry < page.used; ++entry) {
      if (page.states[entry] == gone) continue;
      target.states[at] = page.states[entry];
      target.handles[at] = page.handles[entry];
      tasks_[target.handles[at]].place = (into << page_bits) | at;
      ++at;
    }
  }
  std::fill(target.states.begin() + at, target.states.end(), gone);
  for (std::size_t state = 0; state < task_state_count; ++state) {
    target.counts[state] = static_cast<std::uint16_t>(target.counts[state] + pages_[from]->counts[state]);
  }
  target.live = at;
  target.used = entries_a_page;
}

Roll::Cursor Roll::open(TypeNumber type, const RollQuery& query, std::size_t& visited) const {
  Cursor cursor;
  cursor.pages = &types_[type];
  cursor.page = cursor.pages->size();
  if (query.before.value != 0) {
    const auto above = std::partition_point(
        cursor.pages->begin(), cursor.pages->end(),
        [&](std::uint32_t number) { return pages_[number]->first_id < query.before.value; });
    cursor.page = static_cast<std::size_t>(above - cursor.pages->begin());
  }
  if (cursor.page > 0)
    cursor.end = end_before(*pages_[(*cursor.pages)[cursor.page - 1]], query.before, visited);
  advance(cursor, query);
  if (cursor.task != 0) ++visited;
  return cursor;
}

// The first entry that is not older than `before`: halving over the live ones, since the others have no id.
std::uint32_t Roll::end_before(const Page& page, TaskId before, std::size_t& visited) const {
  if (before.value == 0) return page.used;
  std::uint32_t low = 0;
  std::uint32_t high = page.used;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    std::uint32_t probe = middle;
    while (probe > low && page.states[probe] == gone) --probe;
    if (page.states[probe] == gone) {
      low = middle + 1;
      continue;
    }
    ++visited;
    if (tasks_[page.handles[probe]].id < before) {
      low = middle + 1;
    } else {
      high = probe;
    }
  }
  return low;
}

void Roll::advance(Cursor& cursor, const RollQuery& query) const {
  cursor.task = 0;
  while (cursor.page > 0) {
    const Page& page = *pages_[(*cursor.pages)[cursor.page - 1]];
    const bool wanted = query.state ? page.counts[index_of(*query.state)] > 0 : page.live > 0;
    while (wanted && cursor.end > 0) {
      const std::uint8_t byte = page.states[--cursor.end];
      if (query.state ? byte != static_cast<std::uint8_t>(*query.state) : byte == gone) continue;
      cursor.task = page.handles[cursor.end];
      cursor.id = tasks_[cursor.task].id.value;
      return;
    }
    --cursor.page;
    if (cursor.page > 0) cursor.end = pages_[(*cursor.pages)[cursor.page - 1]]->used;
  }
}

RollAnswer Roll::list(const RollQuery& query) const {
  RollAnswer answer;
  std::vector<Cursor> cursors;
  const std::size_t first = query.type == 0 ? 1 : query.type;
  const std::size_t last = query.type == 0 ? types_.size() : query.type + std::size_t{1};
  for (std::size_t type = first; type < std::min(last, types_.size()); ++type) {
    Cursor cursor = open(static_cast<TypeNumber>(type), query, answer.visited);
    if (cursor.task != 0) cursors.push_back(cursor);
  }
  const auto older = [](const Cursor& left, const Cursor& right) { return left.id < right.id; };
  std::make_heap(cursors.begin(), cursors.end(), older);
  while (!cursors.empty()) {
    if (answer.tasks.size() == query.limit) {
      answer.more = true;
      break;
    }
    std::pop_heap(cursors.begin(), cursors.end(), older);
    Cursor& newest = cursors.back();
    answer.tasks.push_back(newest.task);
    advance(newest, query);
    if (newest.task == 0) {
      cursors.pop_back();
    } else {
      ++answer.visited;
      std::push_heap(cursors.begin(), cursors.end(), older);
    }
  }
  return answer;
}

void Roll::check_invariants() const {
  StateCounts counts{};
  for (std::size_t type = 0; type < types_.size(); ++type) {
    std::uint64_t previous = 0;
    for (const std::uint32_t number : types_[type]) {
      const Page& page = *pages_[number];
      std::uint32_t live = 0;
      ENSURE(page.type == type && page.used <= entries_a_page, "page", number);
      for (std::uint32_t at = 0; at < page.used; ++at) {
        if (page.states[at] == gone) continue;
        const TaskSlot& slot = tasks_[page.handles[at]];
        const TaskState state = static_cast<TaskState>(page.states[at]);
        ENSURE(slot.id.value > previous && slot.id.value >= page.first_id, "task", slot.id.value);
        ENSURE(slot.place == ((number << page_bits) | at), "task", slot.id.value);
        ENSURE(state == slot.state || (state == TaskState::Processing && slot.state == TaskState::Assigned),
               "task", slot.id.value, "state", to_text(slot.state));
        previous = slot.id.value;
        ++live;
        ++counts[page.states[at]];
      }
      ENSURE(live == page.live, "page", number, "live", page.live);
    }
  }
  ENSURE(counts == counts_);
}

}  // namespace cidbus
