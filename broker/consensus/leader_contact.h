// LeaderContact: whether the leader is there, from what was heard of it (CONSENSUS E1, E3.1, E7).
//
// Silence is the rule: a leader not heard for T_e is suspected. A broken connection is quicker: a process
// that is killed breaks its connections at once, so a leader whose connection broke and did not return within
// T_disc counts as gone. A connection alone proves nothing: a hung process keeps it.
//
// Rejected: adaptive (phi-accrual) suspicion. It learns from the quiet hour what the busy one breaks; fixed
// times can be reasoned about, and E2 makes a wrong suspicion harmless.
//
// Invariants: 1. heard() only grows within an epoch, but for clear(). 2. Suspicion changes nothing by itself.
//
// Thread rule: pure; one owner. Limits: none.
#pragma once

#include <optional>

#include "broker/consensus/timers.h"
#include "shared/core/group_messages.h"

namespace cidbus::group {

class LeaderContact {
 public:
  explicit LeaderContact(const Timers& timers, Monotonic started) : timers_(timers), quiet_since_(started) {}

  // Nobody while none is known in the current epoch.
  [[nodiscard]] Seat leader() const { return leader_; }

  void on_heard(Monotonic now, Seat leader) {
    if (leader != leader_) broken_since_.reset();
    leader_ = leader;
    heard_ = now;
    quiet_since_ = now;
  }
  // The epoch changed, or the leader resigned: nobody leads. Suspicion begins where the silence did.
  void forget_leader() {
    leader_ = nobody;
    heard_.reset();
    broken_since_.reset();
  }
  // Somebody else is given time to take office.
  void be_patient(Monotonic now) { quiet_since_ = now; }
  // This broker stood still: it may have slept through what was said.
  void on_stood_still(Monotonic now) {
    quiet_since_ = now;
    if (broken_since_) broken_since_ = now;
  }

  void on_disconnected(Monotonic now, Seat peer) {
    if (peer == leader_ && !broken_since_) broken_since_ = now;
  }
  void on_connected(Seat peer) {
    if (peer == leader_) broken_since_.reset();
  }
  // Another broker looks for a new leader while the connection to the old one is broken: two witnesses are
  // as good as T_disc.
  void on_second_witness() {
    if (broken_since_) heard_.reset();
  }

  // Whether the leader is to be defended against others who want its office.
  [[nodiscard]] bool heard_lately(Monotonic now) const {
    return heard_ && now - *heard_ < timers_.stickiness && !is_gone(now);
  }
  [[nodiscard]] bool is_gone(Monotonic now) const {
    return broken_since_ && now - *broken_since_ >= timers_.reconnection;
  }
  [[nodiscard]] bool connection_is_broken() const { return broken_since_.has_value(); }
  // E1: when it will be time to look for another leader, unless something is heard.
  [[nodiscard]] Monotonic suspicious_at() const {
    Monotonic at = quiet_since_ + timers_.suspicion;
    if (broken_since_) at = std::min(at, *broken_since_ + timers_.reconnection);
    return at;
  }
  // For E1 at once: RESIGN, or a lost office.
  void suspect_at_once(Monotonic now) { quiet_since_ = now - timers_.suspicion; }

 private:
  Timers timers_;
  Seat leader_ = nobody;
  std::optional<Monotonic> heard_;         // the leader of this epoch, last
  Monotonic quiet_since_;                  // no leader was heard since
  std::optional<Monotonic> broken_since_;  // the leader's connection
};

}  // namespace cidbus::group
