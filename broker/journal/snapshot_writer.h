// SnapshotWriter: one snapshot on its way to the disk, in steps short enough to stand between two batches.
//
// It is written under another name, synced as it grows so that no sync of the journal ever waits for more
// than one chunk of it, hashed, read back from the disk, compared, and only then given its name.
//
// Invariants
//  1. Under a snapshot's name stands a file that was whole when it got the name, or none.
//  2. Dropped before install() it leaves nothing that counts.
//
// Faults: TryAgain, no room: abandon it. BadData: what was read back is not what was written. Failed: the
// disk.
//
// Thread rule: one owner; calls block for one chunk at most. Limits: a chunk has snapshot_chunk_bytes.
#pragma once

#include <memory>
#include <string>

#include "broker/journal/sha256.h"
#include "broker/journal/snapshot_format.h"
#include "shared/io/file_system.h"

namespace cidbus {

class SnapshotWriter {
 public:
  static Result<SnapshotWriter> begin(FileSystem& files, const std::string& folder, const SnapshotInfo& info);

  // REQUIRES: 1 to snapshot_chunk_bytes bytes, and neither finish() nor abandon() before.
  [[nodiscard]] Status add(ByteView chunk);
  // After the last chunk.
  [[nodiscard]] Status finish();
  // Reads back one more step; gives whether all has been read, and found the same. REQUIRES: finish() before.
  [[nodiscard]] Result<bool> verify_some();
  // Gives it its name, durably. REQUIRES: verify_some() has given true.
  [[nodiscard]] Status install();
  [[nodiscard]] Status abandon();

  [[nodiscard]] const SnapshotInfo& info() const { return info_; }
  [[nodiscard]] ByteCount bytes() const { return bytes_; }  // of the file so far

 private:
  SnapshotWriter(FileSystem& files, std::string folder, SnapshotInfo info, std::unique_ptr<File> file);
  [[nodiscard]] Status write(ByteView bytes);

  FileSystem* files_;  // borrowed; a pointer so that a writer can be moved
  std::string folder_;
  SnapshotInfo info_;
  std::unique_ptr<File> file_;
  Sha256 hash_;  // of what was written, then of what is read back
  Sha256Digest digest_{};
  std::uint64_t chunks_ = 0;
  std::uint64_t payload_bytes_ = 0;
  ByteCount bytes_ = 0;
  ByteCount verified_ = 0;
  bool finished_ = false;
};

inline constexpr const char* unfinished_snapshot_name = "snapshot.new";

}  // namespace cidbus
