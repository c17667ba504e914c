// The pins of a worker: the roots of what its store must keep, written down in its data folder.
//
//   DATA/pins := (cid "\n")*       in CIDv1 form, sorted; for a person to read, and to edit while no worker
//   runs
//
// A pin is recursive and holds every block below its root, but only the root is written down: what is below
// it follows from the content, and never changes. The list is beside the blocks and no part of their store,
// so it is the same whatever the store's kind, and is read by whoever wants to make room before it may.
//
// Invariants
//  1. What add() and remove() answered is on disk; a kill leaves the list before or after, never a part.
//  2. A root is pinned once, however often it was asked for and in whichever version of CID.
//
// Thread rule: any thread; changes wait for each other and for the disk. Limits: limits::pins_a_worker.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "shared/content/cid.h"
#include "shared/io/file_system.h"

namespace cidbus {

class Pins {
 public:
  // BadData names the line that is no CID. REQUIRES: files outlives it; the folder is there.
  static Result<std::unique_ptr<Pins>> open(FileSystem& files, std::string folder);

  // False when it was pinned already. TryAgain when there are too many, or no room on the disk.
  Result<bool> add(const Cid& root);
  // False when it was not pinned.
  Result<bool> remove(const Cid& root);
  [[nodiscard]] std::size_t count() const;

 private:
  Pins(FileSystem& files, std::string folder) : files_(files), folder_(std::move(folder)) {}
  Status read();
  Status write(const std::set<Cid>& roots);

  FileSystem& files_;
  const std::string folder_;
  mutable std::mutex mutex_;
  std::set<Cid> roots_;  // as on disk
};

}  // namespace cidbus
