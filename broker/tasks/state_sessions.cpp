// Sessions, what they are owed, and what time clears away (CONSENSUS C2 to C4).
#include <algorithm>
#include <cstddef>

#include "broker/tasks/state_machine.h"
#include "shared/base/ensure.h"

namespace cidbus {
namespace {

// Steps a record may take at clearing away: more than a record can add, so that nothing piles up.
constexpr std::size_t closing_steps = 8;
constexpr std::size_t key_steps = 4;
constexpr std::size_t forget_steps = 32;
constexpr std::size_t overdue_steps = 64;

// Taking a row out of the digest reads all of it.
void prefetch(const TaskSlot& row) {
  __builtin_prefetch(&row);
  __builtin_prefetch(reinterpret_cast<const std::byte*>(&row) + 64);
}

template <typename Record>
Record read(ByteView payload) {
  Record record;
  ENSURE(decode(payload, record), "payload bytes", payload.size());
  return record;
}

}  // namespace

void StateMachine::on_session_open(ByteView payload, Changes& out) {
  const auto record = read<SessionRecord>(payload);
  if (const SessionHandle known = tables_.find_session(record.session); known != 0)
    return contact(known, out);
  const SessionHandle session = tables_.add_session();
  SessionSlot& slot = tables_.sessions[session];
  slot.id = record.session;
  slot.contact = tables_.time;
  slot.contact_index = tables_.applied.value;
  slot.ref = tables_.refs.take();
  tables_.refs[slot.ref] = {.serial = tables_.applied.value, .body = session, .claims = 0};
  tables_.by_session.insert(tables_.hash_session(slot.id), session);
  tables_.append_by_age(session);
  if (tables_.watcher != nullptr) tables_.watcher->created_session(session);
  out.list.push_back({.kind = ChangeKind::SessionOpened, .session = session});
}

void StateMachine::on_session_renew(ByteView payload, Changes& out) {
  const auto record = read<SessionRecord>(payload);
  if (const SessionHandle session = tables_.find_session(record.session)) contact(session, out);
}

void StateMachine::on_session_close(ByteView payload, Changes& out) {
  const auto record = read<SessionRecord>(payload);
  if (const SessionHandle session = tables_.find_session(record.session)) close(session, out);
}

void StateMachine::on_result_ack(ByteView payload, Changes& out) {
  const auto record = read<ResultAckRecord>(payload);
  const SessionHandle session = tables_.find_session(record.session);
  if (session == 0) return;
  contact(session, out);
  const auto acknowledged = [&](const Claim& claim) { return claim.rseq <= record.cursor; };
  if (!drop_owed(session, SIZE_MAX, acknowledged)) return;
  out.list.push_back(
      {.kind = ChangeKind::Acknowledged, .session = session, .number = tables_.sessions[session].cursor});
}

// Any record of a session shows that its client lives, and drops what it left unacknowledged for too long.
void StateMachine::contact(SessionHandle session, Changes& out) {
  SessionSlot& slot = tables_.edit_session(session);
  slot.contact = tables_.time;
  slot.contact_index = tables_.applied.value;
  if (tables_.by_age.last != session) {
    tables_.remove_by_age(session);
    tables_.append_by_age(session);
  }
  if (slot.owed_first == 0) return;
  const WallTime oldest{tables_.time.milliseconds - limits_.result_ttl.count()};
  const auto overdue = [&](const Claim&) {
    return tables_.tasks[tables_.task_of(tables_.sessions[session].owed_first)].finished_at < oldest;
  };
  if (!drop_owed(session, overdue_steps, overdue)) return;
  out.list.push_back({.kind = ChangeKind::Acknowledged, .session = session, .number = slot.cursor});
}

template <typename Goes>
bool StateMachine::drop_owed(SessionHandle session, std::size_t most, Goes&& goes) {
  SessionSlot& slot = tables_.edit_session(session);
  std::size_t dropped = 0;
  while (slot.owed_first != 0 && dropped < most) {
    const ClaimHandle first = slot.owed_first;
    const Claim& claim = tables_.claim(first);
    if (!goes(claim)) break;
    slot.cursor = claim.rseq;
    slot.owed_first = claim.next;
    if (slot.owed_first == 0) slot.owed_last = 0;
    if ((slot.owed_first & echo_bit) == 0 && slot.owed_first != 0) prefetch(tables_.tasks[slot.owed_first]);
    --slot.owed_count;
    ++dropped;
    settle(first);
  }
  return dropped > 0;
}

void StateMachine::raise_low_water(SessionHandle session, std::uint64_t low_water) {
  if (low_water <= tables_.sessions[session].low_water) return;
  SessionSlot& slot = tables_.edit_session(session);
  const std::uint64_t last = std::min(low_water - 1, slot.high_seq);
  std::uint64_t seq = slot.low_water;
  slot.low_water = low_water;
  for (; seq <= last; ++seq) {
    ClaimHandle& cell = slot.window[seq & (slot.window.size() - 1)];
    const ClaimHandle claim = cell;
    cell = 0;
    if (claim != 0) settle(claim);
  }
}

// The session ends for everybody at once; what it was owed is cleared away a few results a record.
void StateMachine::close(SessionHandle session, Changes& out) {
  SessionSlot& slot = tables_.edit_session(session);
  tables_.by_session.erase(tables_.hash_session(slot.id), session);
  tables_.last_session = 0;
  tables_.remove_by_age(session);
  slot.closing_place = tables_.next_closing_place++;
  out.list.push_back({.kind = ChangeKind::SessionClosed, .session = session});
  for (std::uint64_t seq = slot.low_water; seq <= slot.high_seq;
       ++seq) {  // not by cell: windows differ in size
    if (const ClaimHandle claim = tables_.window_claim(slot, seq)) settle(claim);
  }
  tables_.drop_window(slot);
  if (slot.owed_first != 0) {
    tables_.append_closing(session);
  } else {
    free_session(session);
  }
}

void StateMachine::free_session(SessionHandle session) {
  const SessionSlot& slot = tables_.edit_session(session);
  SessionRef& ref = tables_.refs[slot.ref];
  ref.body = 0;
  if (ref.claims == 0) tables_.refs.give_back(slot.ref);
  tables_.give_back_session(session);
}

// REQUIRES: the claim's task is final and the claim has no result yet.
void StateMachine::grant(ClaimHandle handle, Changes& out) {
  Claim& claim = tables_.claim(handle);
  const SessionHandle session = tables_.session_of(claim);
  if (session == 0 || tables_.sessions[session].closing_place != 0) return;
  SessionSlot& slot = tables_.edit_session(session);
  const bool is_echo = (handle & echo_bit) != 0;
  if (is_echo) tables_.sum -= digest_of_echo(tables_, tables_.echoes[handle & ~echo_bit]);
  claim.rseq = slot.next_rseq++;
  if (is_echo) tables_.sum += digest_of_echo(tables_, tables_.echoes[handle & ~echo_bit]);
  tables_.append_owed(slot, handle);
  out.list.push_back({.kind = ChangeKind::ResultReady, .session = session});
}

// Ends the claim when its task is final, its result is not owed and its session has forgotten its seq.
void StateMachine::settle(ClaimHandle handle) {
  Claim& claim = tables_.claim(handle);
  const TaskHandle task = tables_.task_of(handle);
  if (!is_final(tables_.tasks[task].state) || tables_.is_owed(claim) || tables_.is_in_window(claim)) return;
  tables_.edit_task(task);
  const bool is_echo = (handle & echo_bit) != 0;
  if (is_echo) tables_.sum -= digest_of_echo(tables_, tables_.echoes[handle & ~echo_bit]);
  if (claim.session != 0) end_claim(claim);
  if (is_echo) drop_echo(handle & ~echo_bit);
  keep_if_free(task);
}

void StateMachine::end_claim(Claim& claim) {
  SessionRef& ref = tables_.refs[claim.session];
  if (--ref.claims == 0 && ref.body == 0) tables_.refs.give_back(claim.session);
  claim.session = 0;
}

void StateMachine::drop_echo(Handle echo) {
  RareSlot& row = tables_.rares[tables_.tasks[tables_.echoes[echo].task].rare];
  Handle* link = &row.first_echo;
  while (*link != echo) link = &tables_.echoes[*link].next_echo;
  *link = tables_.echoes[echo].next_echo;
  --row.echoes;
  tables_.echoes.give_back(echo);
}

void StateMachine::clear_away(Changes& out) {
  if (const SessionHandle oldest = tables_.by_age.first; oldest != 0) {
    if (tables_.sessions[oldest].contact + limits_.session_ttl < tables_.time) close(oldest, out);
  }
  if (tables_.closing.first != 0) clear_closing();
  expire_keys(tables_.keyed, limits_.key_ttl);
  expire_keys(tables_.keyed_outbox, limits_.outbox_key_ttl);
  forget_oldest();
}

void StateMachine::clear_closing() {
  const SessionHandle session = tables_.closing.first;
  drop_owed(session, closing_steps, [](const Claim&) { return true; });
  if (tables_.sessions[session].owed_first != 0) return;
  tables_.closing.first = tables_.sessions[session].next;
  if (tables_.closing.first == 0) tables_.closing.last = 0;
  --tables_.closing.count;
  free_session(session);
}

void StateMachine::expire_keys(StateTables::List& keyed, std::chrono::milliseconds ttl) {
  for (std::size_t step = 0; step < key_steps && keyed.first != 0; ++step) {
    const TaskHandle task = keyed.first;
    if (tables_.tasks[task].finished_at + ttl >= tables_.time) return;
    TaskSlot& slot = tables_.edit_task(task);
    const RareSlot& row = tables_.rares[slot.rare];
    keyed.first = row.next_keyed;
    if (keyed.first == 0) keyed.last = 0;
    --keyed.count;
    tables_.by_key.erase(tables_.hash_key(tables_.key(row)), task);
    slot.flags &= static_cast<std::uint8_t>(~flag_key_active);
    keep_if_free(task);
  }
}

void StateMachine::forget_oldest() {
  for (std::size_t step = 0; step < forget_steps && tables_.kept.first != 0; ++step) {
    if (tables_.kept.count <= limits_.finished_kept && tables_.kept_bytes <= limits_.finished_kept_bytes)
      return;
    const TaskHandle task = tables_.kept.first;
    tables_.kept.first = tables_.tasks[task].claim.next;
    if (tables_.kept.first == 0) tables_.kept.last = 0;
    if (tables_.kept.first != 0) prefetch(tables_.tasks[tables_.kept.first]);  // the next to go
    --tables_.kept.count;
    tables_.kept_bytes -= tables_.bytes_of(tables_.tasks[task]);
    tables_.forget_task(task);
  }
}

}  // namespace cidbus
