#include "broker/snapshotter.h"

#include <algorithm>

namespace cidbus {

Snapshotter::Snapshotter(StateMachine& state, Disk& disk, ByteCount snapshot_after,
                         const RecoveredSizes& sizes)
    : state_(state),
      disk_(disk),
      snapshot_after_(snapshot_after),
      journal_bytes_(sizes.journal_since_snapshot),
      snapshot_bytes_(sizes.snapshot) {}

bool Snapshotter::slice(const SnapshotInfo& head) {
  if (finishing_ || slices_at_disk_ >= limits::snapshot_slices) return false;
  if (!walk_) {
    const bool wanted = wanted_ > newest_ && head.last.last >= wanted_;
    if (!wanted && journal_bytes_ < std::max(snapshot_after_, snapshot_bytes_)) return false;
    journal_bytes_ = 0;
    walk_.emplace(state_);
    disk_.submit(SnapshotBegin{head});
  }
  Bytes chunk;
  const bool last = walk_->slice(limits::snapshot_rows, limits::snapshot_slice, chunk);
  // A slice may be longer than what the disk takes at a time: rows that changed come on top. Loaders put rows
  // that are cut in two together.
  for (std::size_t at = 0; at < chunk.size(); at += snapshot_chunk_bytes) {
    const auto end = std::min(chunk.size(), at + snapshot_chunk_bytes);
    disk_.submit(SnapshotChunk{
        {chunk.begin() + static_cast<std::ptrdiff_t>(at), chunk.begin() + static_cast<std::ptrdiff_t>(end)}});
    ++slices_at_disk_;
  }
  if (!last) return slices_at_disk_ < limits::snapshot_slices;
  walk_.reset();
  finishing_ = true;
  disk_.submit(SnapshotFinish{});
  return false;
}

void Snapshotter::on_done(const SnapshotDone& done) {
  snapshot_bytes_ = done.bytes;
  newest_ = done.last;
  finishing_ = false;
  disk_.submit(DropBefore{done.droppable_before});
}

// Tried again when as much journal has gathered once more: what made it fail is likely still there.
void Snapshotter::on_failed() {
  walk_.reset();
  slices_at_disk_ = 0;
  finishing_ = false;
  wanted_ = {};  // it is asked for again
}

}  // namespace cidbus
