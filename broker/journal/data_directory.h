// DataDirectory: everything a broker keeps on disk, opened, verified and owned by this process alone.
//
//   DATA/lock        held while a broker runs on it
//   DATA/meta        who it is and whom it voted for (vote_file.h); the last file made when a directory is
//   new DATA/reserve     room kept for when there is none (disk_room.h) DATA/journal/    segment-NNNNNNNNNN
//   (journal.h) DATA/snapshots/  snapshot-NNNNNNNNNNNNNNNNNNNN (snapshot_store.h)
//
// Invariants
//  1. Every record after the newest whole snapshot is in the journal, or open() says which one is missing, or
//     (OnDamage::Keep) it is one of the journal's holes, or repairing() is true.
//  2. A directory never changes its broker, its cluster or its incarnation.
//
// Faults of open(): TryAgain, another process holds it, or the disk is full; BadUsage, it is another
// broker's; BadData, it is damaged: the message names file and offset, and the broker must not start.
//
// Thread rule: one owner, to be handed from the thread that replays to the disk's. Limits: none of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/journal/disk_room.h"
#include "broker/journal/journal.h"
#include "broker/journal/snapshot_store.h"
#include "broker/journal/vote_file.h"

namespace cidbus {

struct DataDirectoryOptions {
  std::string folder;
  std::string cluster;
  std::string node;
  // 16 random bytes, the directory's incarnation if it is new.
  DiskIncarnation fresh_incarnation;
  JournalOptions journal;
  DiskMarks marks;
  // Keep: what is damaged can be had from the peers. A journal with holes is opened; one that no copy can
  // mend is set aside, and the broker is repairing() until it was brought up again.
  OnDamage on_damage = OnDamage::Refuse;
  // A folder that is made now may stand in the place of one that was lost: it is repairing() and is_new()
  // until it was brought up, or has founded its group (CONSENSUS D4).
  bool new_is_unproven = false;
};

class DataDirectory {
 public:
  static Result<DataDirectory> open(FileSystem& files, const DataDirectoryOptions& options);

  VoteFile& votes() { return votes_; }
  Journal& journal() { return journal_; }
  SnapshotStore& snapshots() { return snapshots_; }
  DiskRoom& room() { return room_; }
  [[nodiscard]] const VoteFile& votes() const { return votes_; }
  [[nodiscard]] const Journal& journal() const { return journal_; }
  [[nodiscard]] const SnapshotStore& snapshots() const { return snapshots_; }
  [[nodiscard]] const DiskRoom& room() const { return room_; }

  // What to load before replay, or none: then the state begins empty.
  [[nodiscard]] const KeptSnapshot* newest_snapshot() const;
  // The first record to replay on top of it.
  [[nodiscard]] LogIndex replay_from() const;
  // Of the vote file, the journal and the snapshot that it may begin behind: the next office is later than
  // this.
  [[nodiscard]] Epoch highest_epoch() const;
  [[nodiscard]] bool repairing() const { return votes_.state().repairing; }
  [[nodiscard]] bool is_new() const { return votes_.state().is_new; }
  // Lines about what was found and put right, for the log.
  [[nodiscard]] const std::vector<std::string>& notices() const { return notices_; }
  [[nodiscard]] const JournalRecovery& recovery() const { return recovery_; }

 private:
  DataDirectory(std::unique_ptr<DirectoryLock> lock, VoteFile votes, Journal journal, SnapshotStore snapshots,
                DiskRoom room);
  void take_notice(JournalRecovery recovery, std::vector<std::string> notices);

  std::unique_ptr<DirectoryLock> lock_;
  VoteFile votes_;
  Journal journal_;
  SnapshotStore snapshots_;
  DiskRoom room_;
  JournalRecovery recovery_;
  std::vector<std::string> notices_;
};

}  // namespace cidbus
