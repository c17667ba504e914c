// SnapshotReceiver: a snapshot of another broker on its way to this disk, piece by piece (CONSENSUS section
// 6).
//
// The file is the same bytes on whichever disk it lies, so it is taken as it comes, hashed on the way, and
// compared by the hash its sender named. Only then is it loaded into a state of its own, chunk by chunk, and
// only when that worked does it become one of this broker's (DiskExecutor).
//
// Invariants
//  1. Pieces are taken in order; one that was taken before changes nothing, so a transfer is resumed by
//     offset.
//  2. What verify() has found right is on disk.
//
// Faults: TryAgain, no room. BadData, it is not what its sender named, or no snapshot at all. Failed, the
// disk.
//
// Thread rule: one owner; calls block for a piece at most. Limits: the size its sender names,
// snapshot_chunk_bytes of it in memory.
#pragma once

#include <memory>
#include <string>

#include "broker/journal/sha256.h"
#include "broker/journal/snapshot_format.h"
#include "broker/journal/snapshot_reader.h"
#include "broker/tasks/snapshot.h"
#include "shared/io/file_system.h"

namespace cidbus {

inline constexpr const char* received_snapshot_name = "snapshot.received";

class SnapshotReceiver {
 public:
  static Result<SnapshotReceiver> begin(FileSystem& files, const std::string& folder,
                                        const SnapshotFile& what);

  // Gives the offset wanted next.
  [[nodiscard]] Result<ByteCount> add(ByteCount offset, ByteView piece);
  // After the last piece. BadData when bytes are missing or the hash is another.
  [[nodiscard]] Status verify();

  // Loads one more chunk; gives whether that was the last. REQUIRES: verify() before.
  [[nodiscard]] Result<bool> load_some(std::uint64_t hash_seed);
  // REQUIRES: load_some() has given true.
  [[nodiscard]] std::unique_ptr<StateMachine> take_state() { return std::move(state_); }
  [[nodiscard]] const SnapshotInfo& info() const { return reader_->info(); }
  [[nodiscard]] const SnapshotFile& file() const { return what_; }

  [[nodiscard]] Status abandon();

 private:
  SnapshotReceiver(FileSystem& files, std::string path, const SnapshotFile& what, std::unique_ptr<File> file)
      : files_(&files), path_(std::move(path)), what_(what), file_(std::move(file)) {}

  FileSystem* files_;  // borrowed; a pointer so that a receiver can be moved
  std::string path_;
  SnapshotFile what_;
  std::unique_ptr<File> file_;
  Sha256 hash_;  // of what has come, but for the hash itself at the end
  ByteCount bytes_ = 0;
  ByteCount synced_ = 0;
  std::unique_ptr<SnapshotReader> reader_;  // while loading
  std::unique_ptr<StateMachine> state_;
  std::unique_ptr<SnapshotLoader> loader_;
};

}  // namespace cidbus
