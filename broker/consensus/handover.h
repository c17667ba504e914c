// Handover, the leader's side: giving the office to another on purpose, without a vacancy (CONSENSUS H1 to
// H3).
//
// Asked for by an operator, by an orderly stop, by a disk that is too slow or too full, or by the bully's
// privilege: a broker of higher priority that has been steady for long enough is handed the office. A broker
// whose offices end soon is trusted less each time: its S doubles.
//
//   stage       means                                                 left by
//   None
//   Filling     the successor gets what it lacks                      nearly there: SealOffice
//   Sealing     HANDOVER is to become the last record                 the driver has proposed it
//   Sealed      nothing is appended behind it                         committed, and on its disk: Offered
//   Offered     HANDOVER is sent                                      deposed; REFUSE, or T_e is over:
//                                                                     None: admission goes on (H3)
//
// Invariants
//  1. The successor is offered the office only when its disk holds the leader's whole log, all committed.
//  2. One offer at a time, of T_e at most; then admission goes on (H3). One that is over counts no more for
//     whoever knows that it is: the leader, and all who were sent a record behind it. Taken up by others, it
//     costs one more change of office, and nothing else.
//
// Thread rule: pure; one owner. Limits: S of 600 s.
#pragma once

#include "broker/consensus/effects.h"
#include "broker/consensus/group_config.h"
#include "broker/consensus/log_window.h"
#include "broker/consensus/office_history.h"
#include "broker/consensus/replication.h"
#include "shared/base/prng.h"

namespace cidbus::group {

class Handover {
 public:
  enum class Stage : std::uint8_t { None, Filling, Sealing, Sealed, Offered };

  Handover(const GroupConfig& config, Prng prng) : config_(config), prng_(prng) {}

  void on_office(Monotonic now);
  [[nodiscard]] Stage stage() const { return stage_; }
  [[nodiscard]] Seat successor() const { return successor_; }

  // REQUIRES: stage() is None.
  void begin(Monotonic now, Seat successor, Epoch epoch, Effects& out);
  // What follows for the stage from what is on disk and where; and what the others are like meanwhile.
  void tick(Monotonic now, const LogWindow& log, LogIndex commit, const Replication& replication, Epoch epoch,
            Effects& out);
  // H1: who should have the office instead, or nobody. An unfit leader prefers anyone fit, at once.
  [[nodiscard]] Seat preferred(Monotonic now, const Replication& replication, const OfficeHistory& history,
                               std::int32_t own_priority) const;
  // The driver has appended HANDOVER as the log's last record.
  void on_sealed() {
    if (stage_ == Stage::Sealing) stage_ = Stage::Sealed;
  }
  // Whether this offer is under way.
  [[nodiscard]] bool offers(Seat to, std::uint64_t token) const {
    return stage_ == Stage::Offered && to == successor_ && token == token_;
  }
  void on_refused(Seat from, std::uint64_t token, Epoch epoch, Effects& out);
  void on_left_office() { stage_ = Stage::None; }
  // The fit follower that would be best in office: most on disk, then priority, then name; nobody when none
  // is in touch.
  [[nodiscard]] Seat best_successor(Monotonic now, const Replication& replication) const;
  [[nodiscard]] Monotonic deadline() const { return stage_ == Stage::None ? Monotonic::max() : deadline_; }

 private:
  void give_up(Epoch epoch, Effects& out);
  void watch(Monotonic now, const LogWindow& log, const Replication& replication);
  [[nodiscard]] bool in_touch(Monotonic now, const Replication::Follower& follower) const;

  const GroupConfig& config_;
  Prng prng_;
  Stage stage_ = Stage::None;
  Seat successor_ = nobody;
  std::uint64_t token_ = 0;
  Monotonic deadline_{};
  Monotonic in_office_since_{};
  struct Watched {
    Monotonic steady_since{};    // fit, in touch and not behind since then
    std::uint32_t failures = 0;  // offers that it did not take: each doubles S
  };
  std::array<Watched, limits::brokers> watched_{};
};

}  // namespace cidbus::group
