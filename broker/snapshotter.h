// When to take a snapshot, and taking it: slice by slice, beside everything else (CONSENSUS section 6).
//
// A snapshot begins when the journal since the last one has reached max(snapshot_after, the last one's size),
// or when another broker is to be given one. Each slice walks a bounded number of rows, well under a
// millisecond; the disk writes, verifies and renames.
//
// Invariants: 1. one snapshot at a time. 2. Journal is freed by the disk, and only for a snapshot that is in
// place.
//
// Thread rule: pure; one owner. Limits: limits::snapshot_rows, snapshot_slice and snapshot_slices.
#pragma once

#include <memory>
#include <optional>

#include "broker/journal/disk.h"
#include "broker/recovery.h"
#include "broker/tasks/snapshot.h"
#include "shared/base/limits/brokers.h"

namespace cidbus {

class Snapshotter {
 public:
  Snapshotter(StateMachine& state, Disk& disk, ByteCount snapshot_after, const RecoveredSizes& sizes);

  // Another measure of journal, from the next snapshot on.
  void set_after(ByteCount snapshot_after) { snapshot_after_ = snapshot_after; }
  // One is to be taken as soon as it holds this record.
  void want(LogIndex at_least) { wanted_ = std::max(wanted_, at_least); }
  // A batch of so many bytes was applied.
  void on_applied(ByteCount batch_bytes) { journal_bytes_ += batch_bytes; }
  // One slice of the walk under way, or the beginning of one that is due; true while there is more to do now.
  // `head` is the header of a snapshot taken now. REQUIRES: head.last is the last record applied.
  bool slice(const SnapshotInfo& head);
  void on_slice_written() { --slices_at_disk_; }
  void on_done(const SnapshotDone& done);
  void on_failed();

 private:
  StateMachine& state_;
  Disk& disk_;
  ByteCount snapshot_after_;
  ByteCount journal_bytes_;   // since the newest snapshot, or the one under way, began
  ByteCount snapshot_bytes_;  // size of the newest one
  LogIndex wanted_;           // 0: none
  LogIndex newest_;           // that this object took; 0: none
  std::optional<SnapshotWalk> walk_;
  std::size_t slices_at_disk_ = 0;
  bool finishing_ = false;  // the disk has all of it and has not answered
};

}  // namespace cidbus
