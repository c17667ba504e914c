// Disk: the seam between a broker's driver and what is durable. Commands go in, completions come out, as
// values.
//
// The driver never waits for the disk: it submits, and holds back what waits for durability (an
// acknowledgement, a vote, a dispatch) until the completion that it names. Behind the seam stands a thread
// (disk_thread.h) or, in the simulation, a disk whose completions come when the simulator says
// (tests/support/stepped_disk.h); both run the same DiskExecutor.
//
// Invariants
//  1. Batches are written, and told Persisted, in the order of their submission.
//  2. A completion is given only for what is on disk.
//  3. After DiskFailed nothing is completed any more.
//  4. Votes go before batches, batches before snapshots: no snapshot holds up a batch for longer than a chunk
//  takes.
//
// Thread rule: submit() and poll() belong to the driver. Limits: what waits to be written is bounded by who
// submits: at most 32 batches or 32 MiB (CONSENSUS R5), a few snapshot chunks.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "broker/journal/disk_room.h"
#include "broker/journal/journal.h"
#include "broker/journal/snapshot_format.h"

namespace cidbus {

// ---- commands

// Makes a batch durable. REQUIRES: it follows the one submitted before it, or the end that a CutFrom leaves.
struct WriteBatch {
  NewBatch batch;
};
// Takes the batches from the one that begins with `from` on out of the journal, written or still waiting.
struct CutFrom {
  LogIndex from;
};
// REQUIRES: an epoch not lower than any given before.
struct PersistVote {
  Epoch epoch;
  std::string voted;
};
// One snapshot is written at a time: begun, fed with chunks, and finished or abandoned.
struct SnapshotBegin {
  SnapshotInfo info;
};
struct SnapshotChunk {
  Bytes bytes;  // 1 to snapshot_chunk_bytes; 256 KiB keep the batches in between quick
};
struct SnapshotFinish {};
struct SnapshotAbandon {};
// Frees what the journal holds before this index, as far as the kept snapshots allow.
struct DropBefore {
  LogIndex index;
};
// Looks how much room there is, and tries again what found none. For a timer, each second or so.
struct CheckRoom {};

using DiskCommand = std::variant<WriteBatch, CutFrom, PersistVote, SnapshotBegin, SnapshotChunk,
                                 SnapshotFinish, SnapshotAbandon, DropBefore, CheckRoom>;

// ---- completions

// Every batch up to this one is on disk. The chain end, not the index alone: after a cut an index may come
// twice.
struct Persisted {
  ChainEnd end;
};
struct CutDone {
  ChainEnd end;  // of what is left
};
struct VotePersisted {
  Epoch epoch;
  std::string voted;
};
// A chunk was written: another may be sent.
struct SnapshotChunkWritten {
  ByteCount bytes = 0;  // of the chunk
};
// The snapshot is in place.
struct SnapshotDone {
  LogIndex last;
  ByteCount bytes = 0;
  LogIndex droppable_before;  // what DropBefore may ask for now
};
// The snapshot was given up; nothing else is amiss. Chunks of it still on their way are ignored.
struct SnapshotFailed {
  Fault why;
};
struct Dropped {
  LogIndex first;  // the oldest record held now
};
// Full: batches that wait are kept, and written when there is room; nothing of them is durable until
// Persisted.
struct RoomChanged {
  Room room = Room::Roomy;
  DiskSpace space;
};
// What is on disk is unknown: the process must end, and read everything again (CONSENSUS R6).
struct DiskFailed {
  Fault why;
};

using DiskCompletion = std::variant<Persisted, CutDone, VotePersisted, SnapshotChunkWritten, SnapshotDone,
                                    SnapshotFailed, Dropped, RoomChanged, DiskFailed>;

class Disk {
 public:
  virtual ~Disk() = default;
  // Never blocks.
  virtual void submit(DiskCommand command) = 0;
  // The next completion, or nothing for now. Never blocks.
  virtual std::optional<DiskCompletion> poll() = 0;
  // Becomes readable with a new completion: then poll() until it gives nothing; -1 where nothing waits on
  // descriptors.
  [[nodiscard]] virtual int ready_fd() const = 0;
};

}  // namespace cidbus
