// StateComparison: whether this broker's state is the one that the others have (CONSENSUS R7).
//
// Every broker remembers the digests of its state after each limits::digest_every-th record, so that all know
// one of the same records. The leader names one of its own in every BEAT, the same until all have answered or
// T_e is over; whoever has applied that record answers with its own.
//
//   of those that answered                     what follows
//   a majority agrees on another digest        the leader leaves office (outvoted), and does not stand
//   no other has a majority, nor can have one  the leader's counts: whoever has another one is wrong
//   neither                                    nothing yet: who is silent decides it
//
// So in a group of two the leader's counts at once: what clients were told came from its state, and nobody
// else can say more. The same where three have three. A follower whose state is wrong applies nothing any
// more, asks for a snapshot that holds all it has applied, and goes on from that. If its state differs again
// before it was ever found equal, the same records mean different things to the two: it keeps following and
// acknowledging, does not stand, and is not sent a third state.
//
// Invariants
//  1. Only digests of one record are compared. Records that a state has passed are committed, so whoever
//     leads later compares the same.
//  2. A follower calls its state wrong only by a digest that counts ★: one corrupt leader harms nobody.
//  3. Whoever is not good() is unfit, and does not stand.
//
// Thread rule: pure; one owner. Limits: limits::digests_kept, limits::brokers.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "broker/consensus/group_config.h"
#include "shared/core/broker_messages.h"

namespace cidbus::group {

class StateComparison {
 public:
  explicit StateComparison(const GroupConfig& config) : config_(config) {}

  // ---- the own state
  // It is this after a record that limits::digest_every divides.
  void on_passed(const StateDigest& own);
  // Another broker's took its place.
  void on_replaced();
  [[nodiscard]] StateTrust trust() const { return trust_; }
  [[nodiscard]] bool good() const { return trust_ == StateTrust::Good; }
  // It is wrong and is to be replaced: nothing is applied to it.
  [[nodiscard]] bool is_quarantined() const { return trust_ == StateTrust::Quarantined; }

  // ---- following
  enum class Verdict : std::uint8_t {
    Nothing,     // new
    Wrong,       // it is quarantined from here on
    WrongAgain,  // it was replaced, and differs all the same
  };
  // What the leader says of its own.
  Verdict on_told(const StateDigest& leaders, bool counts);
  // The own one after that record; index 0: it is not known, or of no use.
  [[nodiscard]] StateDigest at(LogIndex index) const;

  // ---- in office
  void on_office();
  // Names the newest record, if it is time for another one.
  void ask(Monotonic now);
  [[nodiscard]] const StateDigest& asked() const { return asked_; }
  [[nodiscard]] bool counts() const;
  // True when this is news: the peer's state differs.
  bool on_answer(Seat peer, const StateDigest& its);
  [[nodiscard]] bool is_outvoted() const;
  void on_outvoted() { trust_ = StateTrust::Doubted; }

  // ---- looking
  // The newest record after which the own state was found to be the group's.
  [[nodiscard]] LogIndex agreed() const { return agreed_; }
  struct Counts {
    std::uint64_t equal = 0;  // comparisons, by what came of them
    std::uint64_t different = 0;
    std::uint64_t again = 0;  // different, though the state had just been replaced
  };
  [[nodiscard]] const Counts& figures() const { return figures_; }

 private:
  // How many others answered with this digest, and how many have not answered.
  [[nodiscard]] std::size_t holders(const StateDigest& digest) const;
  [[nodiscard]] std::size_t silent() const;
  // The most that any digest other than the own one has.
  [[nodiscard]] std::size_t most_against() const;

  const GroupConfig& config_;
  std::vector<StateDigest> own_;  // a ring by index
  StateDigest newest_;
  StateTrust trust_ = StateTrust::Good;
  bool replaced_ = false;  // and not found equal since
  LogIndex agreed_;
  LogIndex told_;  // compared last, as a follower
  Counts figures_;

  // in office
  StateDigest asked_;
  Monotonic asked_at_{};
  std::array<std::optional<StateDigest>, limits::brokers> answers_{};  // by seat
};

}  // namespace cidbus::group
