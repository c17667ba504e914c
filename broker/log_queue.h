// Records on their way: gathered into batches, handed to the disk, kept until they are committed and applied.
//
// Group commit without a timer (CONSENSUS R5): while one write is on its way, records gather; when it is
// done, everything that has gathered is handed over at once. Lazy records (leases, acknowledgements) start no
// write of their own: they ride with the next one, limits::lazy_records at the latest. With durability
// `memory` no record starts one: the disk is handed what those milliseconds brought.
//
// Invariants
//  1. Batches are handed to the disk in order, each once, at most limits::batches_at_disk at a time.
//  2. A batch is given out for applying once, in order, whole, and only up to the commit it is asked for.
//  3. Record times never decrease.
//
// Thread rule: pure; one owner. Limits: limits::batch_bytes and batch_records a batch; unsynced_bytes() tells
// how much waits, and whoever admits records keeps it under limits::unsynced_bytes.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "broker/journal/batch_builder.h"
#include "broker/tasks/output.h"
#include "shared/base/limits/brokers.h"
#include "shared/base/limits/messages.h"
#include "shared/base/limits/times.h"
#include "shared/base/time.h"

namespace cidbus {

class LogQueue {
 public:
  struct Sealed {
    BatchBytes bytes;
    ChainEnd end;
  };

  // Goes on after `end`, in the office of `epoch`, with times from `time` on. `write_early`: hand over
  // without waiting for the write before, but every limits::lazy_records only (durability `memory`).
  LogQueue(Epoch epoch, const ChainEnd& end, WallTime time, bool write_early);

  LogIndex append(Now now, std::uint8_t type, std::uint8_t version, ByteView payload, Urgency urgency);

  // What the disk is to write now; empty while it has something to do, or nothing is due.
  std::vector<Sealed> take_writes(Now now);
  void on_persisted(LogIndex last);
  // Batches that end at or before `commit`, oldest first, until they hold `records` or more; a kilobyte
  // counts as one.
  std::vector<Sealed> take_committed(LogIndex commit, std::size_t records);
  [[nodiscard]] bool has_committed(LogIndex commit) const {
    return !unapplied_.empty() && unapplied_.front().end.last <= commit;
  }

  // Newest record in a sealed batch; what the open batch holds is not yet part of the log.
  [[nodiscard]] LogIndex sealed_last() const { return builder_.before().last; }
  [[nodiscard]] std::size_t unsynced_bytes() const { return unsynced_bytes_ + builder_.bytes(); }
  // When a lazy record must be written at the latest.
  [[nodiscard]] std::optional<Monotonic> deadline() const;

 private:
  void seal();
  [[nodiscard]] bool due(Monotonic now) const;

  BatchBuilder builder_;
  WallTime time_;
  bool write_early_;
  bool urgent_ = false;                  // the open batch holds a record that somebody waits for
  std::optional<Monotonic> lazy_since_;  // the open batch's oldest record, while none is urgent
  std::deque<Sealed> unsynced_;          // oldest first
  std::size_t handed_ = 0;               // so many of them are with the disk
  std::size_t unsynced_bytes_ = 0;
  Monotonic hand_over_at_ =
      Monotonic::min();  // with write_early: what is sealed may wait for the disk until then
  std::deque<Sealed> unapplied_;
};

}  // namespace cidbus
