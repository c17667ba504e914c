// Snapshots of the task state, written in slices while records go on being applied, and loaded again.
//
// SnapshotWalk gives the state as it was when the walk began. It goes through the rows a few a turn; a row
// that is about to change before its turn is written first, so nothing is copied that does not change and
// nobody waits. Rows name each other by what is replicated (task ids, session serials), never by handles.
//
//   chunk   := u8*                               the rows' bytes in order, cut anywhere
//   row     := kind:u8 length:u32 body
//   header  := kind 1: version:u8 applied:u64 time:i64 epoch:u64 leader:text endpoint:text
//              kept_place:u64 closing_place:u64
//              count:u16 (declared:u8 name:text)*    task types: 1 offered, 2 strict (not in version 1)
//              count:u16 name:text*                  nodes
//              names:u32                             not before version 4
//   session := kind 2: id:16 serial:u64 contact:i64 contact_index:u64 low_water:u64 high_seq:u64
//              next_rseq:u64 cursor:u64 closing_place:u64
//   task    := kind 3: id:u64 submitted:i64 started:i64 finished:i64 attempts:u32 type:u16 node:u16
//              state:u8 priority:u8 tries:u8 tries_used:u8 lost:u8 flags:u8 claim work:text result:text
//              rare:u8 [not_before:i64 deadline:i64 time_limit:i64 backoff:i64 finish_index:u64 key:text
//              error:text echoes:u32 claim* [history:text]]
//              rare: 0 none of it, 1 without a history, 2 with one
//   claim   := serial:u64 seq:u64 rseq:u64          serial of its session, gone or not; 0 once it has ended
//   end     := kind 4: tasks:u64 sessions:u64 digest:u64,u64     digest: not before version 6; version 5
//              had another one, which is not looked at
//   name    := kind 5: at:i64 <payload of a NAME record>
//   config  := kind 6: broker/cluster/config_book.h    one, not before version 5
//
// Invariants
//  1. The rows of a walk, in any order, load to the state at its beginning: equal digests.
//  2. A loader refuses what is cut, doubled or contradicts itself; it never aborts on bytes.
//  3. What was loaded has the digest of what was written (CONSENSUS R7), or is refused.
//  4. What is written is what changes have made of the state: a walk that finds other rows than the digest at
//     its beginning says has found memory that forgot, and ends the process, as a failed disk does; the next
//     start reads what is on disk.
//
// Thread rule: with the state machine. Limits: the bytes held between slices are those of rows that changed;
// of a loader, those of one row and one chunk.
#pragma once

#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "broker/tasks/state_machine.h"
#include "shared/base/result.h"

namespace cidbus {

class SnapshotWalk final : private RowWatcher {
 public:
  // REQUIRES: no other walk over this state lives.
  explicit SnapshotWalk(StateMachine& state);
  ~SnapshotWalk();
  SnapshotWalk(const SnapshotWalk&) = delete;
  SnapshotWalk& operator=(const SnapshotWalk&) = delete;

  // Appends what changed since the last slice and `rows` further rows, fewer once the slice has `bytes`.
  // True when that was the last one.
  bool slice(std::size_t rows, std::size_t bytes, Bytes& out);
  // The last record the snapshot contains.
  [[nodiscard]] LogIndex index() const { return index_; }

 private:
  // Which rows have been written already: all below the cursor, and those marked.
  struct Visited {
    Handle cursor = 1;
    Handle bound = 0;  // handles at or above are younger than the walk
    std::vector<std::uint64_t> marks;

    void begin(std::size_t handle_bound);
    [[nodiscard]] bool take(Handle handle);  // false when it was written or is too young
    void skip(Handle handle);
  };

  void before_task(TaskHandle task) override;
  void before_session(SessionHandle session) override;
  void created_task(TaskHandle task) override { tasks_.skip(task); }
  void created_session(SessionHandle session) override { sessions_.skip(session); }
  void put_task(TaskHandle task, Bytes& out);
  void put_session(SessionHandle session, Bytes& out);
  template <typename Rows, typename Write>
  bool walk(const Rows& slab, Visited& visited, std::size_t& rows, std::size_t most_bytes, Bytes& out,
            Write&& write);

  StateTables& tables_;
  LogIndex index_;
  Visited tasks_;
  Visited sessions_;
  std::uint64_t task_count_ = 0;
  std::uint64_t session_count_ = 0;
  Digest expected_;  // of the state at the beginning
  Digest digest_;    // of the rows written so far
  Bytes first_;      // rows that had to be written ahead of their turn
  bool done_ = false;
};

class SnapshotLoader {
 public:
  // REQUIRES: nothing was ever applied to the state.
  explicit SnapshotLoader(StateMachine& state);

  // The next bytes of a walk; a row that is cut off goes on in the next ones. BadData when they are none.
  Status load(ByteView chunk);
  // Builds every index. BadData when rows are missing or contradict each other; the state is then of no use.
  Status finish();

 private:
  Status load_row(std::uint8_t kind, ByteReader row);
  bool load_header(ByteReader reader);
  bool load_session(ByteReader reader);
  bool load_task(ByteReader reader);
  bool load_name(ByteReader reader);
  bool load_config(ByteReader reader);
  bool load_rare(ByteReader& reader, TaskHandle task);
  bool load_history(ByteReader& reader, RareSlot& row);
  bool load_claim(ByteReader& reader, Claim& claim);
  Handle ref_of(std::uint64_t serial);
  bool enter_sessions();
  bool enter_tasks();
  bool enter_task(TaskHandle task);
  bool enter_claim(ClaimHandle claim);
  bool link_owed();
  bool link_finished();

  StateMachine& state_;
  StateTables& tables_;
  Bytes cut_;  // the beginning of a row whose end has not come
  bool header_ = false;
  std::uint8_t version_ = 0;
  Digest digest_;  // that it must have
  std::size_t expected_names_ = 0;
  bool expects_config_ = false;
  std::uint64_t expected_tasks_ = ~std::uint64_t{0};  // until the end row has come
  std::uint64_t expected_sessions_ = ~std::uint64_t{0};
  std::unordered_map<std::uint64_t, Handle> refs_;  // by session serial
  std::uint64_t last_serial_ = 0;
  Handle last_ref_ = 0;
  using Ordered = std::vector<std::pair<std::uint64_t, Handle>>;
  Ordered ids_;    // tasks by id
  Ordered kept_;   // by place
  Ordered keyed_;  // by finish index
  Ordered owed_;   // by rseq; sorted within all, entered session by session
};

// A row of the state in the bytes of a snapshot, which are the same on every broker.
void write_header_row(const StateTables& tables, Bytes& out);
void write_session_row(const StateTables& tables, SessionHandle session, Bytes& out);
void write_task_row(const StateTables& tables, TaskHandle task, Bytes& out);

// Every name's row, and the row of the configuration, at once: both are bounded.
void write_name_rows(const StateTables& tables, Bytes& out);
void write_config_row(const StateTables& tables, Bytes& out);

// Of the header row. Older ones, which are still read: 1 had no strict types, 2 no history of attempts, 3 no
// names, 4 no configuration, 5 a digest of another kind.
inline constexpr std::uint8_t snapshot_version = 6;
inline constexpr std::uint8_t snapshot_version_with_config = 5;
inline constexpr std::uint8_t snapshot_version_with_digest = 6;
// Bits of what workers have declared of a task type.
inline constexpr std::uint8_t type_is_offered = 1;
inline constexpr std::uint8_t type_is_strict = 2;

enum class RowKind : std::uint8_t { Header = 1, Session = 2, Task = 3, End = 4, Name = 5, Config = 6 };

}  // namespace cidbus
