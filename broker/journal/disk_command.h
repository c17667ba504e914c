// What a broker's driver asks of its disk, as values. In which order they are served, and what answers them:
// disk.h.
//
// Thread rule: values. Limits: disk.h.
#pragma once

#include <string>
#include <variant>

#include "broker/journal/segment.h"
#include "broker/journal/snapshot_format.h"
#include "shared/base/limits/group.h"

namespace cidbus {

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
  bool founds = false;  // it makes a new folder one of its group's (CONSENSUS D4)
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

// ---- commands that only a group of several needs

// Reads batches, from the one that holds `from` on: what a standby that lags lacks, or the state machine
// after a start. `reader` (0 to disk_readers - 1) says who reads: where it goes on from its last read,
// nothing is looked for. Each read waits for the sync under way, so who has much to read asks for much.
struct ReadBatches {
  unsigned reader = 0;
  LogIndex from;
  ByteCount most = 0;  // at least one batch is given
  std::size_t batches = limits::append_batches;
};
// Reads the file of a snapshot, for a standby that is to have it. `last` 0: the newest, and from its
// beginning.
struct ReadSnapshot {
  unsigned reader = 0;
  LogIndex last;
  ByteCount offset = 0;
  ByteCount most = 0;
};
// A snapshot of another broker, received piece by piece in order; a second begin forgets the first.
struct ReceiveBegin {
  SnapshotFile file;
};
struct ReceivePiece {
  ByteCount offset = 0;
  Bytes bytes;
};
// Verifies it, loads the state, and makes both the broker's own: a journal that lacks the snapshot's newest
// record is begun anew behind it. REQUIRES: every batch submitted before is Persisted, and none is submitted
// until this is completed.
struct ReceiveFinish {
  std::uint64_t hash_seed = 0;  // of the state's tables
  bool replaces = false;  // a state that is wrong: the broker's own snapshots, taken of it, are set aside
};
struct ReceiveAbandon {};
// Puts a batch where the journal has a hole of exactly its identity, if it still has one.
struct RefillHole {
  BatchBytes bytes;
};
// The journal is whole again after a repair (CONSENSUS D3): says so in the vote file.
struct PersistRepaired {};

using DiskCommand =
    std::variant<WriteBatch, CutFrom, PersistVote, SnapshotBegin, SnapshotChunk, SnapshotFinish,
                 SnapshotAbandon, DropBefore, CheckRoom, ReadBatches, ReadSnapshot, ReceiveBegin,
                 ReceivePiece, ReceiveFinish, ReceiveAbandon, RefillHole, PersistRepaired>;

}  // namespace cidbus
