// Repair: the way back of a broker whose journal was lost, identities and all (CONSENSUS D3), and the way in
// of one whose folder is new (D4).
//
// What it once acknowledged is unknown, so it neither votes nor stands, and nothing it holds counts, until it
// has on its disk everything that a sitting leader's log held when it was asked. Whatever this broker
// acknowledged in its earlier life is among that: leaders of its epoch or later have it, by the votes.
//
// A new folder may stand in the place of one that was wiped, so its broker is repaired likewise; but where
// nobody holds anything somebody must begin. So while it holds nothing it stands, and votes for others that
// hold nothing; the first such vote, or being elected, makes it one of the group for good. The epoch of its
// earlier life it does not know: that a leader deposed since repairs it is excluded by time, since that one
// leaves office within T_q, and no disk is replaced so soon. What is not excluded: a wiped broker founds the
// group anew with those that were never brought up, while all that hold anything are down.
//
// Invariants
//  1. A goal answers the request that this very life made last ★: an older one may lie below what was
//     acknowledged since.
//  2. A goal counts within its epoch only: in another, the log that it was about may be cut.
//
// Thread rule: pure; one owner. Limits: a request each T_e.
#pragma once

#include <optional>

#include "broker/consensus/effects.h"
#include "broker/consensus/rules.h"
#include "broker/consensus/timers.h"
#include "shared/base/prng.h"

namespace cidbus::group {

class Repair {
 public:
  Repair(bool needed, bool is_new, Prng prng) : needed_(needed), is_new_(is_new), prng_(prng) {}

  [[nodiscard]] bool needed() const { return needed_; }
  // Because its folder is new.
  [[nodiscard]] bool is_new() const { return needed_ && is_new_; }

  // Asks the leader for a goal while there is none. REQUIRES: needed().
  void tick(Monotonic now, const Timers& timers, Seat leader, Epoch epoch, Effects& out) {
    if (now < deadline(leader)) return;
    nonce_ = prng_();
    ask_again_ = now + timers.suspicion;
    out.notice(NoticeKind::Repairing, leader, epoch);
    out.send(leader, epoch, RepairRequest{nonce_});
  }
  [[nodiscard]] Monotonic deadline(Seat leader) const {
    return !needed_ || goal_ || leader == nobody ? Monotonic::max() : ask_again_;
  }
  void on_goal(const RepairGoal& message) {
    if (message.nonce == nonce_ || !holds(Rule::FreshGoal)) goal_ = message.goal;
  }
  void on_new_epoch() {
    goal_.reset();
    nonce_ = prng_();  // what is on its way answers no more
    ask_again_ = {};
  }
  // `durable`: what is on its disk and equal to the leader's log of this epoch. True once, when the disk may
  // be told that it is whole.
  [[nodiscard]] bool reached(LogIndex durable) {
    if (!needed_ || told_ || !goal_ || durable < *goal_) return false;
    return told_ = true;
  }
  void on_written() { needed_ = false; }

 private:
  bool needed_;
  bool is_new_;
  Prng prng_;
  std::uint64_t nonce_ = prng_();  // of the request made last
  std::optional<LogIndex> goal_;
  bool told_ = false;  // that the goal is reached
  Monotonic ask_again_{};
};

}  // namespace cidbus::group
