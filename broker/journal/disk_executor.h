// DiskExecutor: does on a DataDirectory what a driver's commands ask for, one step at a time.
//
// It knows no thread and no clock: a thread steps it as fast as it can, the simulator when it likes.
//
// A step does, as far as each waits: all votes; one group of batches, with one sync (CONSENSUS R5), or one
// other command on the journal; one read; one piece of a snapshot written and of one received; one piece of
// housekeeping (bringing the vote file's
// slots together, making the next segment, freeing an old one). None takes longer than a sync of a few
// mebibytes, but for the making of a segment.
//
// Invariants
//  1. Those of disk.h.
//  2. A snapshot gets its name only when the journal holds on disk what it was taken of.
//  3. When there is no room nothing that waits is lost or reordered.
//
// Thread rule: one owner; step() blocks. Limits: group_bytes and group_batches a sync.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "broker/journal/data_directory.h"
#include "broker/journal/disk.h"
#include "broker/journal/disk_reader.h"
#include "broker/journal/snapshot_receiver.h"

namespace cidbus {

class DiskExecutor {
 public:
  static constexpr ByteCount group_bytes = 8 << 20;
  static constexpr std::size_t group_batches = 256;

  explicit DiskExecutor(DataDirectory directory);

  void accept(DiskCommand command);
  // Whether a step would do something.
  [[nodiscard]] bool has_work() const;
  // REQUIRES: nothing; without work it does nothing.
  void step(std::vector<DiskCompletion>& completions);
  // Makes a loss of anything written until now a known one (journal.h). For an orderly end.
  [[nodiscard]] Status close();

 private:
  using Completions = std::vector<DiskCompletion>;
  using VoteCommand = std::variant<PersistVote, PersistRepaired>;
  using JournalCommand = std::variant<WriteBatch, CutFrom, DropBefore, CheckRoom, RefillHole>;
  using SnapshotCommand = std::variant<SnapshotBegin, SnapshotChunk, SnapshotFinish, SnapshotAbandon>;
  using ReceiveCommand = std::variant<ReceiveBegin, ReceivePiece, ReceiveFinish, ReceiveAbandon>;
  enum class SnapshotStage {
    None,
    Writing,
    Verifying,  // finished, and being read back
    Verified,   // waits for the journal to hold what it was taken of
    Failed,     // what comes of it until the next SnapshotBegin is ignored
  };

  void forget_waiting(LogIndex from);
  void persist_votes(Completions& out);
  void serve_journal(Completions& out);
  void look_for_room(Completions& out);
  void write_batches(Completions& out);
  [[nodiscard]] bool remember_office(Epoch office, Completions& out);
  void cut(LogIndex from, Completions& out);
  void refill(const BatchBytes& batch, Completions& out);

  void serve_snapshot(Completions& out);
  void run(SnapshotBegin& command, Completions& out);
  void run(SnapshotChunk& command, Completions& out);
  void run(SnapshotFinish& command, Completions& out);
  void run(SnapshotAbandon& command, Completions& out);
  void install_snapshot(Completions& out);
  void give_up_snapshot(const Fault& why, Completions& out);
  [[nodiscard]] bool snapshot_settled(const Status& status, Completions& out);

  void serve_receiver(Completions& out);
  void run(ReceiveBegin& command, Completions& out);
  void run(ReceivePiece& command, Completions& out);
  void run(ReceiveFinish& command, Completions& out);
  void run(ReceiveAbandon& command, Completions& out);
  void install_received(Completions& out);
  void forget_received(const Fault& why, Completions& out);

  void mark_synced(Completions& out);
  void keep_house(Completions& out);
  void drop_some(Completions& out);
  void check_room(Completions& out);
  // Whether it succeeded, or found no room and some was made: then it is to be tried again.
  enum class Outcome { Done, Again, NoRoom, Dead };
  [[nodiscard]] Outcome judge(const Status& status, Completions& out);
  void fail(const Fault& why, Completions& out);

  DataDirectory directory_;
  DiskReader reader_;
  std::deque<VoteCommand> votes_;
  std::deque<JournalCommand> journal_queue_;
  std::deque<SnapshotCommand> snapshot_queue_;
  std::deque<ReceiveCommand> receive_queue_;
  std::optional<SnapshotReceiver> receiver_;
  std::optional<ReceiveFinish> loading_;  // what was received is being loaded
  std::optional<SnapshotWriter> snapshot_;
  SnapshotStage stage_ = SnapshotStage::None;
  LogIndex drop_before_;          // asked for, and not all freed yet; 0 when nothing is
  Room told_room_ = Room::Roomy;  // what the driver was told last
  bool batches_wait_ = false;     // for room; tried again when it was looked for
  bool spare_waits_ = false;      // likewise
  bool failed_ = false;
};

}  // namespace cidbus
