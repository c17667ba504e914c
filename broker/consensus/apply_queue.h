// ApplyQueue: hands committed batches to the state machine, in order, each once; from memory, or from disk
// when they are not in memory any more or were never (after a restart); then the disk reads one piece while
// the one before is applied.
//
// Invariants: 1. R4: batches come in order, whole, and none above the commit it is asked for.
//  2. At most two pieces (limits::append_bytes, limits::apply_batches) are in memory; one read is under way.
//
// Thread rule: pure; one owner. Limits: invariant 2.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "broker/consensus/effects.h"
#include "broker/consensus/log_window.h"

namespace cidbus::group {

class ApplyQueue {
 public:
  // `applied`: what the state machine holds already.
  explicit ApplyQueue(LogIndex applied) : given_(applied) {}

  // Batches to apply now, until they hold `records` or more. What must be read first is asked for.
  std::vector<SharedBatch> take(const LogWindow& log, LogIndex commit, std::size_t records, Effects& out);
  // Of these, what is committed now is kept: the rest may be cut yet.
  void on_read(LogIndex from, LogIndex commit, const std::vector<SharedBatch>& batches);
  // The state machine was replaced by a snapshot's.
  void begin_anew(LogIndex applied);
  [[nodiscard]] bool has(LogIndex commit) const {
    return given_ < commit && !(ready_.empty() && reading_after_);
  }
  // Committed batches wait that only the disk holds: long ones, as after a restart.
  [[nodiscard]] bool lags(const LogWindow& log, LogIndex commit) const {
    return given_ < commit && !log.caches(given_);
  }
  [[nodiscard]] LogIndex given() const { return given_; }

 private:
  // From memory; false when the disk has to be asked first.
  bool fill(const LogWindow& log, LogIndex commit, Effects& out);
  void read_ahead(const LogWindow& log, LogIndex commit, Effects& out);
  void read(LogIndex after, Effects& out);
  void keep(LogIndex commit, const std::vector<SharedBatch>& batches);

  LogIndex given_;                         // newest record handed out
  std::deque<SharedBatch> ready_;          // behind given_, and committed
  LogIndex piece_after_;                   // what the newest piece read follows
  std::optional<LogIndex> reading_after_;  // what the piece follows that is being read
};

}  // namespace cidbus::group
