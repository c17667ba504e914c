// Following, the other side of replication: what a broker does with batches that others send (CONSENSUS R2,
// E8).
//
// It takes a batch only behind what it holds. Where its own log differs, its own records were held by no
// majority and are cut. It acknowledges what is on its disk ★ and known to be equal to the leader's log of
// this epoch ★; all that arrived while a sync ran is acknowledged by one word.
//
// Invariants
//  1. I4: nothing committed is ever cut.
//  2. match() is a position at which this log and the leader's are equal; it starts anew with every epoch.
//  3. An acknowledgement leaves only for what the disk has said it holds (with durability `memory`, for what
//     was received).
//
// Thread rule: pure; one owner. Limits: none of its own.
#pragma once

#include "broker/consensus/effects.h"
#include "broker/consensus/log_window.h"
#include "shared/core/client_messages.h"

namespace cidbus::group {

// Takes batches that follow one another and, the first, `prev`: skips what is held, cuts what differs, writes
// the rest. REQUIRES: log.has(prev). False when the batches contradict what was said about them.
bool take_batches(LogWindow& log, LogIndex commit, Epoch office, Seat from, const LogPosition& prev,
                  const std::vector<SharedBatch>& batches, Effects& out);

// What its acknowledgements say of a broker's own disk.
struct OwnDisk {
  bool full = false;
  bool provisional = false;  // nothing on it counts yet (D3)
};

class Following {
 public:
  explicit Following(Durability durability) : durability_(durability) {}

  // A new epoch: nothing is known about its leader's log.
  void begin() {
    match_ = {};
    acked_ = {};
  }
  // REQUIRES: from the leader of `epoch`, which is the own one.
  void on_append(LogWindow& log, LogIndex commit, Epoch epoch, Seat leader, const Append& append,
                 const OwnDisk& disk, Effects& out);
  // The leader's newest record: if it is held, everything up to it is equal.
  void on_leader_at(const LogWindow& log, const LogPosition& last);
  // The disk holds more than before.
  void on_durable(const LogWindow& log, Epoch epoch, Seat leader, const OwnDisk& disk, Effects& out);

  [[nodiscard]] LogIndex match() const { return match_; }
  // What may be acknowledged.
  [[nodiscard]] LogIndex durable(const LogWindow& log) const;

 private:
  void ack(const LogWindow& log, Epoch epoch, Seat leader, const OwnDisk& disk, Effects& out);

  Durability durability_;
  LogIndex match_;
  LogIndex acked_;    // durable index of the last acknowledgement
  LogIndex answers_;  // `prev` of the newest APPEND, for the acknowledgement
};

}  // namespace cidbus::group
