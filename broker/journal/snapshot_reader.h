// SnapshotReader: the chunks of a snapshot, in order, each verified as it is read.
//
// Thread rule: one owner; calls block. Limits: memory for one chunk.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "broker/journal/snapshot_format.h"
#include "shared/io/file_system.h"

namespace cidbus {

class SnapshotReader {
 public:
  // Reads the header. BadData when it is damaged.
  static Result<SnapshotReader> open(FileSystem& files, const std::string& path);

  [[nodiscard]] const SnapshotInfo& info() const { return info_; }
  // The next chunk, or nothing after the last. BadData names file and offset.
  Result<std::optional<Bytes>> next_chunk();

 private:
  SnapshotReader(std::string path, std::unique_ptr<File> file)
      : path_(std::move(path)), file_(std::move(file)) {}
  [[nodiscard]] Result<Bytes> read(ByteCount count, const char* what);

  std::string path_;
  std::unique_ptr<File> file_;
  SnapshotInfo info_;
  ByteCount offset_ = 0;
};

// Reads all of it: every checksum, the counts and the hash. Gives the file's size; BadData names file and
// offset.
Result<ByteCount> verify_snapshot(FileSystem& files, const std::string& path);

}  // namespace cidbus
