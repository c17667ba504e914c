// The sentences of state_machine.h and tables.h, checked by walking everything.
#include <algorithm>

#include "broker/tasks/state_machine.h"
#include "shared/base/ensure.h"

namespace cidbus {
namespace {

struct Sums {
  std::uint64_t held_bytes = 0;
  std::uint64_t kept_bytes = 0;
  std::size_t window_bytes = 0;
  std::size_t kept = 0;
  std::size_t keyed = 0;
  std::size_t active_keys = 0;
  std::size_t rares = 0;
  std::size_t echoes = 0;
  std::size_t claims = 0;
  std::size_t claims_by_refs = 0;
};

void check_claim(const StateTables& tables, ClaimHandle handle, Sums& sums) {
  const Claim& claim = tables.claim(handle);
  const TaskSlot& task = tables.tasks[tables.task_of(handle)];
  if (claim.session == 0) return;
  ++sums.claims;
  const SessionHandle session = tables.session_of(claim);
  if (session == 0) {
    ENSURE(!is_final(task.state), "task", task.id.value, "has a claim of a session that is gone");
    return;
  }
  const SessionSlot& slot = tables.sessions[session];
  ENSURE(is_final(task.state) || claim.rseq == 0, "task", task.id.value, "rseq", claim.rseq);
  if (is_final(task.state) && slot.closing_place == 0) ENSURE(claim.rseq != 0, "task", task.id.value);
  if (is_final(task.state)) {
    ENSURE(tables.is_owed(claim) || tables.is_in_window(claim), "task", task.id.value, "claim has not ended");
  }
  ENSURE(claim.rseq < slot.next_rseq && claim.seq <= slot.high_seq, "task", task.id.value);
  if (tables.is_in_window(claim)) {
    ENSURE(tables.window_claim(slot, claim.seq) == handle, "task", task.id.value, "seq", claim.seq);
  }
}

void check_task(const StateTables& tables, TaskHandle handle, const TaskSlot& task, Sums& sums) {
  const RareSlot& row = tables.rare(task);
  const bool final = is_final(task.state);
  const bool key_active = (task.flags & flag_key_active) != 0;
  const bool kept = (task.flags & flag_kept) != 0;
  ENSURE(task.id <= TaskId{tables.applied.value} && tables.find_task(task.id) == handle, "task",
         task.id.value);
  ENSURE(task.state != TaskState::Processing && task.type != 0 && task.type <= tables.types.size());
  ENSURE(final == (task.finished_at.milliseconds != 0), "task", task.id.value);
  ENSURE(task.content == content_of(tables, task), "task", task.id.value, "content is not of its bytes");
  check_claim(tables, handle, sums);
  std::uint32_t echoes = 0;
  for (Handle echo = row.first_echo; echo != 0; echo = tables.echoes[echo].next_echo, ++echoes) {
    ENSURE(tables.echoes[echo].task == handle, "task", task.id.value);
    check_claim(tables, echo | echo_bit, sums);
  }
  ENSURE(echoes == row.echoes, "task", task.id.value);
  sums.echoes += echoes;
  sums.rares += task.rare != 0 ? 1 : 0;
  if (key_active) ENSURE(tables.find_key(tables.key(row)) == handle, "task", task.id.value);
  sums.active_keys += key_active ? 1 : 0;
  sums.keyed += key_active && final ? 1 : 0;
  const bool held = task.claim.session != 0 || row.first_echo != 0 || key_active;
  if (final) ENSURE(kept == !held, "task", task.id.value, "kept", kept);
  if (!final) ENSURE(!kept, "task", task.id.value);
  sums.kept += kept ? 1 : 0;
  (kept ? sums.kept_bytes : sums.held_bytes) += final ? tables.bytes_of(task) : 0;
}

void check_session(const StateTables& tables, SessionHandle handle, const SessionSlot& slot, Sums& sums) {
  ENSURE(tables.refs[slot.ref].body == handle);
  ENSURE((tables.find_session(slot.id) == handle) == (slot.closing_place == 0));
  std::uint64_t rseq = slot.cursor;
  std::uint32_t owed = 0;
  ClaimHandle last = 0;
  for (ClaimHandle claim = slot.owed_first; claim != 0; claim = tables.claim(claim).next, ++owed) {
    ENSURE(tables.claim(claim).rseq == ++rseq, "rseq", rseq);
    ENSURE(tables.session_of(tables.claim(claim)) == handle, "rseq", rseq);
    last = claim;
  }
  ENSURE(owed == slot.owed_count && rseq + 1 == slot.next_rseq && last == slot.owed_last, "owed", owed);
  sums.window_bytes += slot.window.size() * sizeof(ClaimHandle);
  for (std::size_t at = 0; at < slot.window.size(); ++at) {
    const std::uint64_t seq = slot.low_water + at;
    const ClaimHandle claim = slot.window[seq & (slot.window.size() - 1)];
    if (claim == 0) continue;
    ENSURE(tables.claim(claim).seq == seq && tables.session_of(tables.claim(claim)) == handle, "seq", seq);
  }
}

}  // namespace

void StateMachine::check_invariants() const {
  Sums sums;
  tables_.tasks.for_each([&](Handle task, const TaskSlot& slot) { check_task(tables_, task, slot, sums); });
  tables_.sessions.for_each(
      [&](Handle s, const SessionSlot& slot) { check_session(tables_, s, slot, sums); });
  tables_.refs.for_each([&](Handle, const SessionRef& ref) {
    ENSURE(ref.body != 0 || ref.claims > 0, "serial", ref.serial);
    sums.claims_by_refs += ref.claims;
  });
  ENSURE(walked_digest(tables_) == tables_.digest(), "the digest is not that of the rows");
  tables_.config.check_invariants();
  tables_.roll.check_invariants();
  ENSURE(sums.claims == sums.claims_by_refs, sums.claims, sums.claims_by_refs);
  ENSURE(sums.held_bytes == tables_.held_bytes && sums.kept_bytes == tables_.kept_bytes);
  ENSURE(sums.window_bytes == tables_.window_bytes);
  ENSURE(sums.kept == tables_.kept.count && sums.keyed == tables_.keyed.count + tables_.keyed_outbox.count);
  ENSURE(sums.rares == tables_.rares.size() && sums.echoes == tables_.echoes.size());
  ENSURE(tables_.by_id.size() == tables_.tasks.size() && tables_.by_key.size() == sums.active_keys);
  ENSURE(tables_.by_session.size() == tables_.by_age.count);
  ENSURE(tables_.by_age.count + tables_.closing.count == tables_.sessions.size());
  std::uint64_t counted = 0;
  for (const std::uint64_t count : tables_.roll.counts()) counted += count;
  ENSURE(counted == tables_.tasks.size(), "counted", counted);
  WallTime oldest{};
  for (Handle session = tables_.by_age.first; session != 0; session = tables_.sessions[session].next) {
    ENSURE(tables_.sessions[session].contact >= oldest, "sessions out of order");
    oldest = tables_.sessions[session].contact;
  }
  std::uint64_t place = 0;
  for (Handle task = tables_.kept.first; task != 0; task = tables_.tasks[task].claim.next) {
    ENSURE(tables_.tasks[task].claim.rseq > place, "kept tasks out of order");
    place = tables_.tasks[task].claim.rseq;
  }
}

}  // namespace cidbus
