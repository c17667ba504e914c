// CatchUp: taking over the journal of a better-ranked broker when none that has it can lead (CONSENSUS E8).
//
// A partition may leave a broker that reaches a majority without the best journal, and the one with the best
// journal without a majority. The former asks the latter for what it lacks, and stands again. Without it,
// some partial partitions of five brokers never have a leader.
//
// Invariants
//  1. Batches are taken over only while the sender's log rank is above the own ★, by a follower that hears no
//     leader, in the sender's epoch or a later one.
//
// Thread rule: pure; one owner. Limits: limits::append_bytes a message.
#pragma once

#include "broker/consensus/effects.h"
#include "broker/consensus/log_window.h"
#include "broker/consensus/timers.h"

namespace cidbus::group {

class CatchUp {
 public:
  [[nodiscard]] bool under_way() const { return from_ != nobody; }
  [[nodiscard]] Monotonic deadline() const { return under_way() ? deadline_ : Monotonic::max(); }

  void begin(Monotonic now, const Timers& timers, const LogWindow& log, Epoch epoch, Seat from, Effects& out);
  void stop() { from_ = nobody; }
  enum class Progress : std::uint8_t { Nothing, GoesOn, Done };
  // REQUIRES: a follower that hears no leader; `epoch`, the own one, is at least the sender's.
  [[nodiscard]] Progress on_data(Monotonic now, const Timers& timers, LogWindow& log, LogIndex commit,
                                 Epoch epoch, Seat from, const FetchData& data, Effects& out);

 private:
  Seat from_ = nobody;
  Monotonic deadline_{};
};

// The other end. What follows the highest position that both may hold; when it is only on disk, it is read
// first, and answer_read() sends it.
void answer_fetch(const LogWindow& log, Epoch epoch, Seat to, const Fetch& fetch, Effects& out);
void answer_read(const LogWindow& log, Epoch epoch, Seat to, LogIndex from, std::vector<SharedBatch> batches,
                 Effects& out);

}  // namespace cidbus::group
