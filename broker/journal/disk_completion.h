// What a broker's driver is told of its disk, as values. What they promise: disk.h.
//
// Thread rule: values. Limits: disk.h.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "broker/journal/disk_room.h"
#include "broker/journal/snapshot_format.h"
#include "broker/tasks/state_machine.h"

namespace cidbus {

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
// What ReadBatches found, whole batches in order.
struct BatchesRead {
  enum class Stopped {
    AtMost,  // more follow
    AtEnd,   // the journal ends here
    AtHole,  // the next batch is damaged
    Freed,   // the journal begins later than what was asked for; a snapshot has it
  };
  unsigned reader = 0;
  LogIndex from;  // as it was asked for
  std::vector<BatchBytes> batches;
  Stopped stopped = Stopped::AtMost;
};
// Part of a snapshot's file; no bytes when there is no such snapshot (any more).
struct SnapshotRead {
  unsigned reader = 0;
  SnapshotFile file;
  ByteCount offset = 0;
  Bytes bytes;
};
struct PieceReceived {
  ByteCount next = 0;  // offset
};
struct SnapshotInstalled {
  SnapshotInfo info;
  ChainEnd journal_end;                 // info.last when the journal was begun anew
  std::unique_ptr<StateMachine> state;  // as of info.last
};
// What was received is of no use and was thrown away; nothing else is changed.
struct ReceiveFailed {
  Fault why;
};
struct HoleRefilled {
  ChainEnd end;  // of the batch
};
struct RepairedPersisted {};
// What is on disk is unknown: the process must end, and read everything again (CONSENSUS R6).
struct DiskFailed {
  Fault why;
};

using DiskCompletion =
    std::variant<Persisted, CutDone, VotePersisted, SnapshotChunkWritten, SnapshotDone, SnapshotFailed,
                 Dropped, RoomChanged, BatchesRead, SnapshotRead, PieceReceived, SnapshotInstalled,
                 ReceiveFailed, HoleRefilled, RepairedPersisted, DiskFailed>;

}  // namespace cidbus
