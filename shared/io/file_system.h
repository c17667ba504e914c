// The seam between what must be durable and the disk that keeps it: files as the journal needs them.
//
// Everything that promises durability (journal, vote file, snapshots) goes through it, so that the simulated
// disk (tests/support/simulated_disk.h) can lose, tear and refuse exactly what a real one may. The real one
// is posix_file_system.h.
//
// Faults, by what the caller can do:
//   TryAgain     no room (ENOSPC, EDQUOT). Part of a write may have been done; nothing else is amiss.
//   NotFound     there is no such file
//   NotAllowed   rights, or a read-only file system
//   Failed       the disk failed. After a write, sync or directory sync that ended so, nobody knows what is
//                on disk: the process must end and read everything again (CONSENSUS R6). The file keeps the
//                fault: every later write and sync of it gives the same, so that nobody can try a sync again
//                by mistake.
//
// Invariants
//  1. What was written is durable after sync() of the file; a name made, changed or removed after
//     sync_directory() of its folder. Before that any part of it may be lost, in any order.
//  2. Bytes never written read as zeros.
//
// Calls block. Thread rule: a FileSystem may be used by any thread, a File by one at a time.
// Limits: names in a folder are those of the caller; one folder level below the root given is enough here.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/base/result.h"

namespace cidbus {

class File {
 public:
  virtual ~File() = default;

  // Writes the parts one after another from `offset` on, growing the file where it ends earlier.
  [[nodiscard]] virtual Status write(ByteCount offset, std::span<const ByteView> parts) = 0;
  [[nodiscard]] Status write(ByteCount offset, ByteView bytes) { return write(offset, {&bytes, 1}); }
  // Gives how many bytes were read: fewer than asked for only at the end of the file.
  [[nodiscard]] virtual Result<std::size_t> read(ByteCount offset, std::span<std::uint8_t> into) = 0;
  // fdatasync: contents and size are on disk when it returns.
  [[nodiscard]] virtual Status sync() = 0;
  // Takes room on the disk for the first `bytes` bytes, which read as zeros where nothing was written.
  [[nodiscard]] virtual Status preallocate(ByteCount bytes) = 0;
  [[nodiscard]] virtual Status resize(ByteCount bytes) = 0;
  [[nodiscard]] virtual Result<ByteCount> size() = 0;
  // What is cached and does not wait to be written is dropped: the next read asks the disk (CONSENSUS R6).
  virtual void forget_cache() = 0;
};

// Held as long as it lives; given back by the system when the process dies.
class DirectoryLock {
 public:
  virtual ~DirectoryLock() = default;
};

struct DiskSpace {
  ByteCount capacity = 0;  // of the file system
  ByteCount free = 0;      // what this process may still take
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  // An existing file, for reading and writing.
  [[nodiscard]] virtual Result<std::unique_ptr<File>> open(const std::string& path) = 0;
  // A new, empty file; one of that name is emptied.
  [[nodiscard]] virtual Result<std::unique_ptr<File>> create(const std::string& path) = 0;
  // With its parents; no fault when it is there. Durable on return.
  [[nodiscard]] virtual Status create_directory(const std::string& path) = 0;
  // Atomically, in the place of a file that has the name. REQUIRES: both in one folder.
  [[nodiscard]] virtual Status rename(const std::string& from, const std::string& to) = 0;
  [[nodiscard]] virtual Status remove(const std::string& path) = 0;
  [[nodiscard]] virtual Status sync_directory(const std::string& path) = 0;
  // Names of the files in a folder, without folders, sorted.
  [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  // Of the file system that holds the folder.
  [[nodiscard]] virtual Result<DiskSpace> space(const std::string& path) = 0;
  // Makes the folder this process's own through a file `lock` in it. TryAgain when another process has it;
  // the message names that process where it can be told.
  [[nodiscard]] virtual Result<std::unique_ptr<DirectoryLock>> lock(const std::string& path) = 0;
};

}  // namespace cidbus
