// The records that a leader is asked for, gathered into batches.
//
// Group commit without a timer (CONSENSUS R5): while one write is on its way, records gather; when it is
// done, all that has gathered is handed over at once. Lazy records (leases, acknowledgements) start no write
// of their own: they ride with the next one, limits::lazy_records at the latest.
//
// Invariants
//  1. Batches are given out in order, each once.
//  2. Record times never decrease.
//
// Thread rule: pure; one owner. Limits: limits::batch_bytes and batch_records a batch; bytes() tells how much
// waits, and whoever admits records keeps it under limits::unsynced_bytes.
#pragma once

#include <optional>
#include <vector>

#include "broker/journal/batch_builder.h"
#include "broker/tasks/output.h"
#include "shared/base/limits/times.h"
#include "shared/base/time.h"

namespace cidbus {

class Gathering {
 public:
  // In the office of `epoch`, behind `end`; with times from `time` on.
  Gathering(Epoch epoch, const ChainEnd& end, WallTime time) : builder_(epoch, end), time_(time) {}

  LogIndex append(Now now, std::uint8_t type, std::uint8_t version, ByteView payload, Urgency urgency);

  // Whether a batch should leave now, if the disk is free.
  [[nodiscard]] bool due(Monotonic now) const {
    return !full_.empty() || (!builder_.empty() && (urgent_ || now - *since_ >= limits::lazy_records));
  }
  // Everything, oldest first: what is full, and the open batch.
  std::vector<BatchBytes> take();
  // When it is due at the latest.
  [[nodiscard]] std::optional<Monotonic> deadline() const;
  [[nodiscard]] std::size_t bytes() const { return full_bytes_ + builder_.bytes(); }

 private:
  void seal();

  BatchBuilder builder_;
  WallTime time_;
  bool urgent_ = false;             // the open batch holds a record that somebody waits for
  std::optional<Monotonic> since_;  // when its first record came
  std::vector<BatchBytes> full_;
  std::size_t full_bytes_ = 0;
};

}  // namespace cidbus
