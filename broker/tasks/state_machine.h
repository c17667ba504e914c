// The replicated state of tasks and sessions: records in, in the order of the journal; changes out.
//
// Every broker applies the same records and reaches the same state. Whatever the leader chose (who gets a
// task, how long a retry waits, that a deadline has passed) arrives as a record; whatever follows from time
// follows from the times of records. Nothing here asks a clock, draws a number or looks at an order that
// another broker might not have.
//
// Invariants (check_invariants)
//  1. A (session, seq) at or above the session's low_water has at most one claim, a key at most one task
//     (C3).
//  2. A session's results have the numbers 1, 2, 3, ... in the order the tasks became final (C4).
//  3. A task is final once, by the first record that makes it so; later ones change nothing (W5). The result
//     of a strict type counts only while its attempt has the lease.
//  4. A finished task is kept while anybody is owed its result, a session still knows its seq, or its key is
//     younger than key_ttl; then until finished_kept later ones have come.
//  5. The work of one apply() is bounded: what expires is cleared away a few at a time.
//  6. digest() is what a walk over everything gives.
//
// Thread rule: one owner. Limits: StateLimits here; the leader refuses what would pass base/limits/.
#pragma once

#include <optional>
#include <string_view>

#include "broker/tasks/changes.h"
#include "broker/tasks/records.h"
#include "broker/tasks/tables.h"

namespace cidbus {

// What admission looks at.
struct StateUsage {
  std::size_t tasks = 0;  // rows, in any state, and later submissions with the same key
  std::size_t sessions = 0;
  std::uint64_t held_bytes = 0;  // finished tasks that somebody is owed, or whose key is active
  std::size_t window_bytes = 0;
  std::size_t memory_used = 0;
};

class StateMachine {
 public:
  explicit StateMachine(const StateLimits& state_limits = {}, std::uint64_t hash_seed = 0)
      : limits_(state_limits), tables_(hash_seed) {}

  // Applies one record. REQUIRES: index above every one before; a payload made by encode(). Appends to `out`.
  void apply(LogIndex index, WallTime time, RecordType type, ByteView payload, Changes& out);

  [[nodiscard]] LogIndex applied() const { return tables_.applied; }
  [[nodiscard]] WallTime time() const { return tables_.time; }
  [[nodiscard]] const Office& office() const { return tables_.office; }

  // Tasks. 0 when there is none; rows and views live until the next apply().
  [[nodiscard]] TaskHandle find(TaskId id) const { return tables_.find_task(id); }
  // Whether the handle still stands for this task.
  [[nodiscard]] bool is(TaskHandle task, TaskId id) const {
    return tables_.tasks.is_live(task) && tables_.tasks[task].id == id;
  }
  [[nodiscard]] const TaskSlot& task(TaskHandle task) const { return tables_.tasks[task]; }
  [[nodiscard]] const RareSlot& rare(TaskHandle task) const { return tables_.rare(tables_.tasks[task]); }
  [[nodiscard]] ByteView work(const TaskSlot& task) const {
    return tables_.arena.get(task.work, task.work_size);
  }
  [[nodiscard]] ByteView result(const TaskSlot& task) const {
    return tables_.arena.get(task.result, task.result_size);
  }
  // Everything that can be told of it; the state says Processing where the leader marked it.
  [[nodiscard]] TaskInfo info(TaskHandle task) const;
  [[nodiscard]] RollAnswer list(const RollQuery& query) const { return tables_.roll.list(query); }
  [[nodiscard]] const StateCounts& counts() const { return tables_.roll.counts(); }
  // The leader's knowledge, not replicated: the task's worker is at it. REQUIRES: the task is Assigned.
  void mark_processing(TaskHandle task) {
    tables_.roll.set_state(tables_.tasks[task], TaskState::Processing);
  }

  // Sessions and what they are owed, in the order of rseq.
  [[nodiscard]] SessionHandle find(const SessionId& id) const { return tables_.find_session(id); }
  [[nodiscard]] const SessionSlot& session(SessionHandle session) const { return tables_.sessions[session]; }
  [[nodiscard]] const Claim& claim(ClaimHandle claim) const { return tables_.claim(claim); }
  [[nodiscard]] TaskHandle task_of(ClaimHandle claim) const { return tables_.task_of(claim); }
  // The claim of a submission the session still remembers; 0 otherwise.
  [[nodiscard]] ClaimHandle claim_of(SessionHandle session, std::uint64_t seq) const {
    return tables_.window_claim(tables_.sessions[session], seq);
  }
  [[nodiscard]] TaskHandle find_key(std::string_view key) const { return tables_.find_key(key); }

  [[nodiscard]] const ConfigBook& config() const { return tables_.config; }
  // Lives by what the state says; after it was loaded.
  void follow_config();
  [[nodiscard]] const Catalogue& catalogue() const { return tables_.catalogue; }
  [[nodiscard]] const NameTable& types() const { return tables_.types; }
  [[nodiscard]] bool is_offered(TypeNumber type) const { return tables_.offered[type]; }
  // Its runs have one attempt at a time, and only the current one's result counts (W5).
  [[nodiscard]] bool is_strict(TypeNumber type) const { return tables_.strict[type]; }
  [[nodiscard]] const NameTable& nodes() const { return tables_.nodes; }

  // Of its last attempts: shared/core/attempt_history.h.
  [[nodiscard]] ByteView history(TaskHandle task) const {
    return tables_.history(tables_.rare(tables_.tasks[task]));
  }

  [[nodiscard]] const StateLimits& state_limits() const { return limits_; }
  [[nodiscard]] StateUsage usage() const;
  // Equal states have equal ones (digest.h). Costs tens of nanoseconds.
  [[nodiscard]] Digest digest() const { return tables_.digest(); }
  // Walks everything; aborts on what cannot be.
  void check_invariants() const;

  // For snapshots (snapshot.h), and for walking every task of a type.
  [[nodiscard]] StateTables& tables() { return tables_; }
  [[nodiscard]] const StateTables& tables() const { return tables_; }

 private:
  void on_open(ByteView payload);
  void on_node(ByteView payload, Changes& out);
  void on_session_open(ByteView payload, Changes& out);
  void on_session_renew(ByteView payload, Changes& out);
  void on_session_close(ByteView payload, Changes& out);
  void on_submit(ByteView payload, Changes& out);
  void on_lease(ByteView payload, Changes& out);
  void on_requeue(ByteView payload, Changes& out);
  void on_result(ByteView payload, Changes& out);
  void on_cancel(ByteView payload, Changes& out);
  void on_expire(ByteView payload, Changes& out);
  void on_result_ack(ByteView payload, Changes& out);
  void on_propose(ByteView payload, Changes& out);
  void on_vote(ByteView payload, Changes& out);
  void on_decide(ByteView payload, Changes& out);

  // Tasks.
  [[nodiscard]] TypeNumber type_number(std::string_view name, Changes& out);
  TaskHandle create_task(const SubmitRecord& record, SessionHandle session, Changes& out);
  void set_rare_options(TaskSlot& slot, TaskHandle task, const TaskOptions& options);
  ClaimHandle add_echo(TaskHandle task, SessionHandle session, std::uint64_t seq);
  // 0 unless the task is there and not final.
  [[nodiscard]] TaskHandle find_open(TaskId id, Changes& out);
  void finish(TaskHandle task, TaskState state, Changes& out);
  void keep_if_free(TaskHandle task);

  // Sessions and claims.
  void contact(SessionHandle session, Changes& out);
  void close(SessionHandle session, Changes& out);
  void free_session(SessionHandle session);
  void raise_low_water(SessionHandle session, std::uint64_t low_water);
  void grant(ClaimHandle claim, Changes& out);
  void settle(ClaimHandle claim);
  void end_claim(Claim& claim);
  void drop_echo(Handle echo);
  // Takes owed results off the session's list while `goes(claim)`, `most` at most; whether any went.
  template <typename Goes>
  bool drop_owed(SessionHandle session, std::size_t most, Goes&& goes);

  // What time does, a few steps a record.
  void clear_away(Changes& out);
  void clear_closing();
  void expire_keys(StateTables::List& keyed, std::chrono::milliseconds ttl);
  void forget_oldest();

  StateLimits limits_;
  StateTables tables_;
};

}  // namespace cidbus
