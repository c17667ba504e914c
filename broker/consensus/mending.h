// Mending: filling the holes of a damaged journal, and helping others to fill theirs (CONSENSUS D1, D2).
//
// A hole is a batch whose identity is known and whose bytes are damaged. Whoever has a batch of exactly that
// identity is right, leader or not, so the others are asked in turn. Until then the broker votes by its claim
// ★ and acknowledges what it really holds; both follow from LogWindow::last() and whole().
//
// Of what a hole held there may be no other copy: it never left this broker, or the power went everywhere at
// once. When every other broker has said that its log does not have that batch, and, asked after that, has
// said so again ★, no majority ever had, and the log is cut before it; else a group of two could not go on.
// Once is not enough: one that said so may have got the batch after that, from a leader that counted this
// broker's earlier word for it, and then lost its own unsynced copy before it was asked. If some have it,
// damaged too, the log is cut only at the very tail, where a write under way leaves such damage. One that is
// silent may have it, so it is waited for.
//
// Invariants
//  1. A hole is refilled only with a batch of its identity.
//  2. The log is cut before a hole only when it was not committed, as far as is known here, and everybody has
//     been asked about it, twice, since this life began.
//  3. Nobody whose own journal was lost says that it does not hold a batch: it may have.
//
// Thread rule: pure; one owner. Limits: limits::holes_asked identities a message, one message at a time.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "broker/consensus/effects.h"
#include "broker/consensus/group_config.h"
#include "broker/consensus/log_window.h"
#include "shared/base/prng.h"

namespace cidbus::group {

class Mending {
 public:
  Mending(const GroupConfig& config, Prng prng) : config_(config), prng_(prng), asked_(config.self()) {}

  // ---- the own holes
  // Asks the next broker for the first hole, when it is time.
  void tick(Monotonic now, const LogWindow& log, Epoch epoch, Effects& out);
  enum class Outcome : std::uint8_t {
    Nothing,
    OnlyInSnapshot,  // the sender has freed it: its state holds it
    NobodyHasIt,     // and the log is to end before it
  };
  [[nodiscard]] Outcome on_data(Monotonic now, const LogWindow& log, LogIndex commit, Seat from,
                                const FetchData& data, Effects& out);
  // The disk has put it in its place.
  void on_refilled(Monotonic now, LogWindow& log, const ChainEnd& end);
  // Whether the disk has refills to do: the journal must not be begun anew meanwhile.
  [[nodiscard]] bool refilling() const { return !refilling_.empty(); }
  [[nodiscard]] Monotonic deadline(const LogWindow& log) const {
    return log.holes().empty() || refilling() ? Monotonic::max() : deadline_;
  }

  // ---- the holes of others
  // `lost`: this broker's own journal was (D3).
  void answer(const LogWindow& log, Epoch epoch, Seat to, const Fetch& fetch, bool lost, Effects& out);
  // What answer() asked of the disk.
  void answer_read(const LogWindow& log, Epoch epoch, Seat to, const std::vector<SharedBatch>& batches,
                   Effects& out);

 private:
  const GroupConfig& config_;
  Prng prng_;
  Seat asked_;                       // last
  Monotonic deadline_{};             // when the next one is asked
  std::uint64_t round_ = 0;          // 0: none is under way
  unsigned denials_ = 0;             // rounds in a row in which all lacked it
  SeatSet lacking_;                  // who said in this round that it does not hold the first hole intact
  bool others_damaged_ = false;      // and one of them has it damaged
  LogIndex about_;                   // the first record of that hole
  std::vector<LogIndex> refilling_;  // last records of batches on their way into their holes
  std::array<std::optional<Fetch>, limits::brokers> reading_for_;  // by seat
};

}  // namespace cidbus::group
