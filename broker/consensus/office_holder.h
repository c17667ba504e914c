// Who holds office, and which records are committed: the rules of CONSENSUS sections 3 and 4 for a group of
// one.
//
// A broker alone is its own majority: at start it takes the next epoch, persists its vote, appends OPEN and
// serves once OPEN is committed. Election, peers and replication come beside this with the group; the words
// and the order in which things wait for each other are already those of the group, so that the driver around
// it stays.
//
// Invariants (CONSENSUS section 13)
//  1. I6: epoch, durable and commit never decrease.
//  2. A record is committed only when it is durable at a majority (or, with durability `memory`, received by
//  one) and a
//     record of the own epoch is committed with it or before it (R3).
//  3. Nothing is appended before the vote for the epoch is on disk.
//
// Thread rule: pure; one owner. Limits: none.
#pragma once

#include <optional>

#include "shared/base/ids.h"
#include "shared/core/client_messages.h"

namespace cidbus {

class OfficeHolder {
 public:
  enum class Stage {
    Starting,  // the vote for the new epoch is on its way to the disk
    Opening,   // OPEN is appended, not committed
    Serving,   // OPEN is committed
  };

  // `highest_epoch`: of the vote file and the journal; `last`: newest record on disk. All of it is durable.
  OfficeHolder(Epoch highest_epoch, LogIndex last, Durability durability);

  // The epoch to vote for: persist it, then call on_vote_persisted.
  [[nodiscard]] Epoch epoch() const { return epoch_; }
  [[nodiscard]] Stage stage() const { return stage_; }
  [[nodiscard]] bool serving() const { return stage_ == Stage::Serving; }

  // The vote is on disk: OPEN may be appended now.
  void on_vote_persisted(Epoch epoch);
  // OPEN is the record at `index`. REQUIRES: stage() is Opening and it was not called before.
  void on_open_appended(LogIndex index);
  // Every record up to `last` is in the journal's queue.
  void on_appended(LogIndex last);
  // Every record up to `last` is on disk.
  void on_persisted(LogIndex last);

  [[nodiscard]] LogIndex last() const { return last_; }
  [[nodiscard]] LogIndex durable() const { return durable_; }
  // Every record up to here may be applied.
  [[nodiscard]] LogIndex commit() const { return commit_; }

 private:
  void advance_commit();

  Durability durability_;
  Epoch epoch_;
  Stage stage_ = Stage::Starting;
  std::optional<LogIndex> open_;
  LogIndex last_;
  LogIndex durable_;
  LogIndex commit_;
};

}  // namespace cidbus
