// The rows of the task state and the indexes over them; the rules are in state_machine.cpp.
//
// Every change of a task or session row goes through edit_task() and edit_session(), so that a snapshot being
// written can take the row first, and the digest of the state stays true: the row that is being changed is
// taken out of the sum, and put in again when another one is.
//
// Thread rule: one owner. Limits: those of slots.h.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "broker/cluster/config_book.h"
#include "broker/tasks/arena.h"
#include "broker/tasks/catalogue.h"
#include "broker/tasks/digest.h"
#include "broker/tasks/handle_table.h"
#include "broker/tasks/names.h"
#include "broker/tasks/roll.h"
#include "broker/tasks/slots.h"
#include "shared/base/limits/leecher.h"
#include "shared/base/limits/tasks.h"
#include "shared/base/limits/times.h"
#include "shared/core/attempt_history.h"

namespace cidbus {

// What decides replicated state, so the same on every broker of a group; tests make them small.
struct StateLimits {
  std::chrono::milliseconds session_ttl = limits::session_ttl;
  std::chrono::milliseconds key_ttl = limits::key_ttl;
  std::chrono::milliseconds outbox_key_ttl = limits::outbox_key_ttl;
  std::chrono::milliseconds result_ttl = limits::result_ttl;
  std::size_t finished_kept = limits::finished_kept;
  std::uint64_t finished_kept_bytes = limits::finished_kept_bytes;
  std::uint64_t session_window = limits::session_window;
};

struct Office {
  Epoch epoch;
  std::string leader;
  std::string endpoint;
};

// A snapshot in the making. `before_*` is called ahead of a change to a row, `created_*` after a new one.
class RowWatcher {
 public:
  virtual void before_task(TaskHandle task) = 0;
  virtual void before_session(SessionHandle session) = 0;
  virtual void created_task(TaskHandle task) = 0;
  virtual void created_session(SessionHandle session) = 0;

 protected:
  ~RowWatcher() = default;
};

struct StateTables {
  explicit StateTables(std::uint64_t seed);
  StateTables(const StateTables&) = delete;
  StateTables& operator=(const StateTables&) = delete;

  LogIndex applied;
  WallTime time;  // of the newest record; never goes back
  Office office;
  NameTable types;
  // By type number; once set, for ever: a worker that does not say it takes no guarantee from the others.
  std::vector<bool> offered;  // a worker has offered it
  std::vector<bool> strict;   // a worker has declared that it must never run twice at once
  NameTable nodes;
  std::uint64_t next_kept_place = 1;
  std::uint64_t next_closing_place = 1;

  Slab<TaskSlot> tasks;
  Slab<RareSlot> rares;
  Slab<EchoSlot> echoes;
  Slab<SessionSlot> sessions;
  Slab<SessionRef> refs;
  Arena arena;
  Catalogue catalogue;
  ConfigBook config;

  HandleTable by_id{12};  // 4,096 shards: with ten million tasks, one grows in 30 us
  HandleTable by_key{8};
  HandleTable by_session{8};  // open sessions only
  Roll roll{tasks};

  struct List {
    Handle first = 0;
    Handle last = 0;
    std::size_t count = 0;
  };
  List by_age;                   // open sessions, longest without contact first
  List closing;                  // sessions being cleared away, in the order they ended
  List keyed;                    // finished tasks whose key is active, in the order they finished
  List keyed_outbox;             // likewise, of keys that leechers made: those are kept longer
  List kept;                     // finished tasks nobody is owed anything of, in the order that became so
  std::uint64_t held_bytes = 0;  // finished tasks not in `kept`: owed results, keys
  std::uint64_t kept_bytes = 0;
  std::size_t window_bytes = 0;  // of all sessions' windows
  RowWatcher* watcher = nullptr;
  mutable SessionHandle last_session =
      0;               // found last: most records are of the same session as the one before
  std::uint64_t seed;  // of the tables' hashes; differs between brokers, so nothing may depend on it

  Digest sum;                        // of types, nodes, echoes and all rows but the two that follow
  TaskHandle edited_task = 0;        // changed last; 0: none
  SessionHandle edited_session = 0;  // likewise
  mutable std::optional<Digest> config_digest;  // nothing: the book has changed since

  TaskSlot& edit_task(TaskHandle task) {
    if (watcher != nullptr) [[unlikely]]
      watcher->before_task(task);
    if (task != edited_task) take_out_task(task);
    return tasks[task];
  }
  SessionSlot& edit_session(SessionHandle session) {
    if (watcher != nullptr) [[unlikely]]
      watcher->before_session(session);
    if (session != edited_session) take_out_session(session);
    return sessions[session];
  }
  // New rows, being edited.
  TaskHandle add_task();
  SessionHandle add_session();
  void give_back_session(SessionHandle session);  // REQUIRES: being edited
  // Of everything (CONSENSUS R7).
  [[nodiscard]] Digest digest() const;

  [[nodiscard]] TaskHandle find_task(TaskId id) const {
    return by_id.find(hash_run(id.value), [&](Handle task) { return tasks[task].id == id; });
  }
  [[nodiscard]] TaskHandle find_key(std::string_view key) const;
  [[nodiscard]] SessionHandle find_session(const SessionId& id) const;
  [[nodiscard]] std::uint64_t hash_key(std::string_view key) const;
  [[nodiscard]] std::uint64_t hash_session(const SessionId& id) const;

  [[nodiscard]] Claim& claim(ClaimHandle handle) {
    return (handle & echo_bit) != 0 ? echoes[handle & ~echo_bit].claim : tasks[handle].claim;
  }
  [[nodiscard]] const Claim& claim(ClaimHandle handle) const {
    return (handle & echo_bit) != 0 ? echoes[handle & ~echo_bit].claim : tasks[handle].claim;
  }
  [[nodiscard]] TaskHandle task_of(ClaimHandle handle) const {
    return (handle & echo_bit) != 0 ? echoes[handle & ~echo_bit].task : handle;
  }
  // 0 when the claim has ended or its session is gone.
  [[nodiscard]] SessionHandle session_of(const Claim& claim) const {
    return claim.session == 0 ? 0 : refs[claim.session].body;
  }
  // Its result stands in its session's list of owed ones.
  [[nodiscard]] bool is_owed(const Claim& claim) const {
    const SessionHandle session = session_of(claim);
    return session != 0 && claim.rseq > sessions[session].cursor;
  }
  // Its session still knows its seq.
  [[nodiscard]] bool is_in_window(const Claim& claim) const {
    const SessionHandle session = session_of(claim);
    return session != 0 && sessions[session].closing_place == 0 && claim.seq >= sessions[session].low_water;
  }

  // The defaults when the task has no row of rare fields.
  [[nodiscard]] const RareSlot& rare(const TaskSlot& task) const;
  RareSlot& make_rare(TaskSlot& task);  // REQUIRES: task came from edit_task()
  [[nodiscard]] std::string_view key(const RareSlot& row) const;
  [[nodiscard]] std::string_view error(const RareSlot& row) const;
  void set_error(TaskSlot& task, std::string_view error);
  [[nodiscard]] ByteView history(const RareSlot& row) const;
  // Puts the attempt that has just ended behind those kept of the task. REQUIRES: task came from edit_task()
  void keep_attempt(TaskSlot& task, const PastAttempt& attempt);
  // Bytes a finished task keeps alive, for the bounds.
  [[nodiscard]] std::uint64_t bytes_of(const TaskSlot& task) const;
  // Enters the row into no index and frees what it points to. REQUIRES: it is in no list.
  void forget_task(TaskHandle task);

  // The claim of a session's seq; 0 when there is none.
  [[nodiscard]] ClaimHandle window_claim(const SessionSlot& session, std::uint64_t seq) const;
  // REQUIRES: seq is at or above low_water and within limits::session_window of it.
  void put_in_window(SessionSlot& session, std::uint64_t seq, ClaimHandle claim);
  void drop_window(SessionSlot& session);

  void append_owed(SessionSlot& session, ClaimHandle claim);
  void append_by_age(SessionHandle session);
  void remove_by_age(SessionHandle session);
  void append_closing(SessionHandle session);
  void append_keyed(TaskHandle task);  // REQUIRES: final, with an active key
  void append_kept(TaskHandle task);

  [[nodiscard]] std::size_t memory_used() const;

 private:
  void put_in_task();
  void put_in_session();
  void take_out_task(TaskHandle task);
  void take_out_session(SessionHandle session);
};

}  // namespace cidbus
