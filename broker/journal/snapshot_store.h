// SnapshotStore: the two newest snapshots of a broker, and what may be forgotten because of them.
//
// Invariants
//  1. The two newest that were whole are kept; a third goes only when a new one is in place.
//  2. No record after the *older* of the two may be freed from the journal (CONSENSUS section 6): if the
//     newer one turns out damaged, the older one and the journal give the same state.
//  3. A damaged snapshot is renamed, not removed; nor is one of a state that is not the group's
//     (CONSENSUS R7).
//
// Thread rule: one owner; calls block: open() for as long as it takes to read a snapshot.
// Limits: two snapshots and one being written.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/journal/snapshot_reader.h"
#include "broker/journal/snapshot_receiver.h"
#include "broker/journal/snapshot_writer.h"
#include "shared/io/file_system.h"

namespace cidbus {

struct KeptSnapshot {
  SnapshotInfo info;
  ByteCount bytes = 0;
  std::string path;
};

class SnapshotStore {
 public:
  // Verifies the newest, falls back to the older; `notices` gets a line for each that is damaged.
  // BadData when one is of another cluster.
  static Result<SnapshotStore> open(FileSystem& files, const std::string& folder, ClusterId cluster,
                                    std::vector<std::string>& notices);

  // Newest first. The first was read wholly and found right when this was opened, or when it was written.
  [[nodiscard]] const std::vector<KeptSnapshot>& kept() const { return kept_; }
  [[nodiscard]] ByteCount newest_bytes() const { return kept_.empty() ? 0 : kept_.front().bytes; }
  // Records before this index may be freed from the journal.
  [[nodiscard]] LogIndex droppable_before() const;

  [[nodiscard]] Result<SnapshotReader> read(const KeptSnapshot& snapshot) const;
  [[nodiscard]] Result<SnapshotWriter> begin(const SnapshotInfo& info) const;
  // Gives a verified snapshot its name and frees the third. REQUIRES: it is newer than any kept.
  [[nodiscard]] Status install(SnapshotWriter& writer);
  [[nodiscard]] Result<SnapshotReceiver> receive(const SnapshotFile& what) const;
  // The same for one that was received and verified (snapshot_receiver.h).
  [[nodiscard]] Status install_received(const SnapshotInfo& info, ByteCount bytes);
  // Renames those whose newest record is one of these to *.damaged.
  [[nodiscard]] Status quarantine(LogIndex first, LogIndex last);
  // At a start: whether a received snapshot whose newest record is `last` lies there whole; then it is made
  // one of this store's. Any other is removed.
  [[nodiscard]] Result<bool> settle_received(LogIndex last);
  [[nodiscard]] Result<std::unique_ptr<File>> open(const KeptSnapshot& snapshot) const {
    return files_->open(snapshot.path);
  }

 private:
  SnapshotStore(FileSystem& files, std::string folder) : files_(&files), folder_(std::move(folder)) {}
  [[nodiscard]] Status consider(const std::string& name, ClusterId cluster,
                                std::vector<std::string>& notices);
  [[nodiscard]] Status keep(KeptSnapshot snapshot);
  [[nodiscard]] Status set_aside(const std::string& path, const Fault& why,
                                 std::vector<std::string>& notices);

  FileSystem* files_;  // borrowed; a pointer so that a store can be moved
  std::string folder_;
  std::vector<KeptSnapshot> kept_;  // newest first, two at most
};

}  // namespace cidbus
