#include "broker/tasks/tables.h"

#include <bit>

#include "shared/base/ensure.h"
#include "shared/base/outbox_id.h"

namespace cidbus {
namespace {

constexpr std::size_t smallest_window = 8;
constexpr std::uint64_t row_bytes =
    128;  // a finished task's row and its share of the indexes, for the bounds

}  // namespace

StateTables::StateTables(std::uint64_t hash_seed) : offered(1), strict(1), seed(hash_seed) {}

// ---- the digest

void StateTables::put_in_task() {
  if (edited_task == 0) return;
  const TaskSlot& slot = tasks[edited_task];
  sum += digest_of_task(*this, slot, slot.content);
}

void StateTables::put_in_session() {
  if (edited_session != 0) sum += digest_of_session(*this, sessions[edited_session]);
}

void StateTables::take_out_task(TaskHandle task) {
  put_in_task();
  edited_task = task;
  sum -= digest_of_task(*this, tasks[task], tasks[task].content);
}

void StateTables::take_out_session(SessionHandle session) {
  put_in_session();
  edited_session = session;
  sum -= digest_of_session(*this, sessions[session]);
}

TaskHandle StateTables::add_task() {
  put_in_task();
  return edited_task = tasks.take();
}

SessionHandle StateTables::add_session() {
  put_in_session();
  return edited_session = sessions.take();
}

void StateTables::give_back_session(SessionHandle session) {
  ENSURE(session == edited_session, "session", session);
  edited_session = 0;
  sessions.give_back(session);
}

Digest StateTables::digest() const {
  Digest all = sum;
  if (edited_task != 0) all += digest_of_task(*this, tasks[edited_task], tasks[edited_task].content);
  if (edited_session != 0) all += digest_of_session(*this, sessions[edited_session]);
  if (!config_digest) config_digest = digest_of_config(*this);
  all += *config_digest;
  all += catalogue.digest();
  all += digest_of_header(*this);
  return all;
}

// ---- finding

std::uint64_t StateTables::hash_key(std::string_view key) const {
  return hash_bytes(key.data(), key.size(), seed);
}

std::uint64_t StateTables::hash_session(const SessionId& id) const {
  return hash_bytes(id.bytes.data(), id.bytes.size(), seed);
}

TaskHandle StateTables::find_key(std::string_view wanted) const {
  return by_key.find(hash_key(wanted), [&](Handle task) { return key(rare(tasks[task])) == wanted; });
}

SessionHandle StateTables::find_session(const SessionId& id) const {
  if (last_session != 0 && sessions[last_session].id == id) return last_session;
  last_session =
      by_session.find(hash_session(id), [&](Handle session) { return sessions[session].id == id; });
  return last_session;
}

const RareSlot& StateTables::rare(const TaskSlot& task) const {
  static constexpr RareSlot defaults{};
  return task.rare == 0 ? defaults : rares[task.rare];
}

RareSlot& StateTables::make_rare(TaskSlot& task) {
  if (task.rare == 0) task.rare = rares.take();
  return rares[task.rare];
}

std::string_view StateTables::key(const RareSlot& row) const {
  return as_text(arena.get(row.key, row.key_size));
}

std::string_view StateTables::error(const RareSlot& row) const {
  return as_text(arena.get(row.error, row.error_size));
}

void StateTables::set_error(TaskSlot& task, std::string_view error) {
  if (error.empty() && rare(task).error_size == 0) return;
  RareSlot& row = make_rare(task);
  task.content += content_of(ContentKind::Error, error) - content_of(ContentKind::Error, this->error(row));
  arena.free(row.error, row.error_size);
  row.error = arena.put(as_bytes(error));
  row.error_size = static_cast<std::uint32_t>(error.size());
}

ByteView StateTables::history(const RareSlot& row) const { return arena.get(row.history, row.history_size); }

void StateTables::keep_attempt(TaskSlot& task, const PastAttempt& attempt) {
  RareSlot& row = make_rare(task);
  const Bytes longer = add_attempt(history(row), attempt);
  task.content += content_of(ContentKind::History, longer) - content_of(ContentKind::History, history(row));
  arena.free(row.history, row.history_size);
  row.history = arena.put(longer);
  row.history_size = static_cast<std::uint32_t>(longer.size());
}

std::uint64_t StateTables::bytes_of(const TaskSlot& task) const {
  const RareSlot& row = rare(task);
  return row_bytes + task.work_size + task.result_size + row.key_size + row.error_size + row.history_size +
         (task.rare == 0 ? 0 : sizeof(RareSlot));
}

void StateTables::forget_task(TaskHandle task) {
  const TaskSlot& slot = edit_task(task);
  by_id.erase(hash_run(slot.id.value), task);
  roll.leave(slot);
  arena.free(slot.work, slot.work_size);
  arena.free(slot.result, slot.result_size);
  if (slot.rare != 0) {
    const RareSlot& row = rares[slot.rare];
    arena.free(row.key, row.key_size);
    arena.free(row.error, row.error_size);
    arena.free(row.history, row.history_size);
    rares.give_back(slot.rare);
  }
  edited_task = 0;
  tasks.give_back(task);
}

ClaimHandle StateTables::window_claim(const SessionSlot& session, std::uint64_t seq) const {
  const std::size_t size = session.window.size();
  if (seq < session.low_water || seq - session.low_water >= size) return 0;
  return session.window[seq & (size - 1)];
}

void StateTables::put_in_window(SessionSlot& session, std::uint64_t seq, ClaimHandle claim) {
  const std::uint64_t span = seq - session.low_water + 1;
  if (span > session.window.size()) {
    std::vector<ClaimHandle> wider(std::max<std::size_t>(std::bit_ceil(span), smallest_window));
    for (std::size_t at = 0; at < session.window.size(); ++at) {
      const std::uint64_t old = session.low_water + at;
      wider[old & (wider.size() - 1)] = session.window[old & (session.window.size() - 1)];
    }
    window_bytes += (wider.size() - session.window.size()) * sizeof(ClaimHandle);
    session.window = std::move(wider);
  }
  session.window[seq & (session.window.size() - 1)] = claim;
}

void StateTables::drop_window(SessionSlot& session) {
  window_bytes -= session.window.size() * sizeof(ClaimHandle);
  session.window = {};
}

void StateTables::append_owed(SessionSlot& session, ClaimHandle claim_handle) {
  claim(claim_handle).next = 0;
  if (session.owed_last != 0) {
    claim(session.owed_last).next = claim_handle;
  } else {
    session.owed_first = claim_handle;
  }
  session.owed_last = claim_handle;
  ++session.owed_count;
}

void StateTables::append_by_age(SessionHandle session) {
  SessionSlot& slot = sessions[session];
  slot.previous = by_age.last;
  slot.next = 0;
  (by_age.last != 0 ? sessions[by_age.last].next : by_age.first) = session;
  by_age.last = session;
  ++by_age.count;
}

void StateTables::remove_by_age(SessionHandle session) {
  const SessionSlot& slot = sessions[session];
  (slot.previous != 0 ? sessions[slot.previous].next : by_age.first) = slot.next;
  (slot.next != 0 ? sessions[slot.next].previous : by_age.last) = slot.previous;
  --by_age.count;
}

void StateTables::append_closing(SessionHandle session) {
  sessions[session].next = 0;
  (closing.last != 0 ? sessions[closing.last].next : closing.first) = session;
  closing.last = session;
  ++closing.count;
}

void StateTables::append_keyed(TaskHandle task) {
  RareSlot& row = rares[tasks[task].rare];
  List& list = key(row).starts_with(outbox_key_prefix) ? keyed_outbox : keyed;
  row.next_keyed = 0;
  (list.last != 0 ? rares[tasks[list.last].rare].next_keyed : list.first) = task;
  list.last = task;
  ++list.count;
}

void StateTables::append_kept(TaskHandle task) {
  tasks[task].claim.next = 0;
  (kept.last != 0 ? tasks[kept.last].claim.next : kept.first) = task;
  kept.last = task;
  ++kept.count;
  kept_bytes += bytes_of(tasks[task]);
}

std::size_t StateTables::memory_used() const {
  return tasks.memory_used() + rares.memory_used() + echoes.memory_used() + sessions.memory_used() +
         refs.memory_used() + arena.memory_used() + by_id.memory_used() + by_key.memory_used() +
         by_session.memory_used() + roll.memory_used() + window_bytes;
}

}  // namespace cidbus
