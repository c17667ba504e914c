// VoteState: the epoch a broker is in, and whom it voted for in it (CONSENSUS sections 1 and 3: E6, E7).
//
// An epoch that is only heard of is adopted in memory; a vote is written to disk, and is told, or counted,
// when it is there. Both may be under way while a higher epoch arrives: then what comes back from the disk is
// about the past, and nothing is told.
//
// Invariants
//  1. I6: the epoch never decreases.
//  2. I10: at most one candidate is voted for in an epoch ★.
//  3. A vote is durable() only after the disk has said so ★.
//
// Thread rule: pure; one owner. Limits: none.
#pragma once

#include "broker/consensus/rules.h"
#include "shared/base/ensure.h"
#include "shared/core/group_messages.h"

namespace cidbus::group {

class VoteState {
 public:
  // As found on disk: the higher of the vote file's epoch and of any office's in the journal, and whom the
  // vote file says for it.
  VoteState(Epoch epoch, Seat voted) : epoch_(epoch), voted_(voted), durable_(voted != nobody) {}

  [[nodiscard]] Epoch epoch() const { return epoch_; }
  [[nodiscard]] Seat voted() const { return voted_; }
  // Whether the vote in this epoch is on disk.
  [[nodiscard]] bool durable() const { return durable_; }

  // A higher epoch was heard of. REQUIRES: epoch > epoch().
  void adopt(Epoch epoch) {
    ENSURE(epoch > epoch_, "adopted", epoch.value, "own", epoch_.value);
    epoch_ = epoch;
    voted_ = nobody;
    durable_ = false;
  }
  // Whether a vote for this candidate breaks no promise.
  [[nodiscard]] bool may_vote_for(Seat candidate) const {
    return voted_ == nobody || voted_ == candidate || !holds(Rule::OneVote);
  }
  // The caller has the vote written to disk, unless durable(). REQUIRES: may_vote_for(candidate).
  void vote_for(Seat candidate) {
    ENSURE(may_vote_for(candidate), "epoch", epoch_.value, "voted", place(voted_));
    if (voted_ != candidate) durable_ = false;
    voted_ = candidate;
  }
  // The disk holds a vote; gives whether it is the current one.
  bool on_persisted(Epoch epoch, Seat voted) {
    if (epoch != epoch_ || voted != voted_) return false;
    durable_ = true;
    return true;
  }

 private:
  Epoch epoch_;
  Seat voted_;  // nobody: not yet
  bool durable_;
};

}  // namespace cidbus::group
