// Election: who stands (CONSENSUS E1 to E6; the votes themselves are vote_state.h's, E7).
//
// The bully order decides who stands: everyone asks before it stands, and whoever is asked by a worse one
// says OK and stands itself. Asking changes nothing at anybody, so that a broker that is cut off, slow or
// wrong about the leader disturbs no one. A majority of AYEs then makes a candidate, and a majority of votes
// on disk an office.
//
//   role       event                              next
//   Follower   the leader is suspected (E1)       Probing: ELECTION to all
//   Probing    OK of one not ignored (E4)         Holding, T_hold
//              AYEs of a majority, E5             Candidate: verdict Stand
//              answers complete, or T_ok and      Follower, modest; or verdict CatchUp (E8)
//              those of a majority, or T_hold
//   Holding    T_hold                             Probing: who said OK is ignored from now on ★
//   Candidate  votes of a majority (E9)           Leader: verdict Elected
//              T_vote, or refusals of too many    Follower, modest
//   any        a leader is heard                  Follower; ignored and insist are forgotten
//              ELECTION of a better one           AYE, Holding
//              ELECTION of a worse one            OK and Probing; or AYE, or NAY (E3.3)
//
// Invariants
//  1. A verdict Stand comes only from Probing, with AYEs of a majority, and a claim that the journal meets.
//  2. Each better broker makes this one hold back at most once while there is no leader ★.
//  3. Nothing here is persistent, and nothing here changes an epoch.
//
// Thread rule: pure; one owner. Limits: none.
#pragma once

#include "broker/consensus/effects.h"
#include "broker/consensus/group_config.h"
#include "shared/base/prng.h"

namespace cidbus::group {

// What an election must know of its own broker at this moment.
struct Standing {
  Rank rank;          // with the effective priority
  LogPosition claim;  // what its journal once held (D2)
  bool fit = true;    // for objecting to others
  bool may_stand = true;
  bool may_vote = true;           // for whoever asks: its journal was not lost (D3), its folder not new (D4)
  Epoch epoch;                    // for the headers
  Seat leader = nobody;           // the last one heard in this epoch; or itself
  bool leader_alive = false;      // and it was heard lately, or it is this broker, in good standing (E3.1)
  bool connection_broke = false;  // to that leader: it is known, not guessed, that something happened
};

class Election {
 public:
  Election(const GroupConfig& config, Prng prng) : config_(config), prng_(prng) {}

  enum class Verdict : std::uint8_t {
    Nothing,
    Stand,    // E6: take the next epoch and ask for votes
    Elected,  // E9
    CatchUp,  // E8: best() has the better journal
  };

  [[nodiscard]] Role role() const { return role_; }
  [[nodiscard]] const Rank& best() const { return best_; }
  // The highest epoch any answer came from: a candidate goes above it.
  [[nodiscard]] Epoch highest_seen() const { return highest_seen_; }

  // E2. REQUIRES: neither Candidate nor Leader.
  [[nodiscard]] Verdict probe(Monotonic now, const Standing& self, Effects& out);
  // Timers of Probing, Holding and Candidate; E1 is the caller's, not before next_probe().
  [[nodiscard]] Verdict tick(Monotonic now, const Standing& self, Effects& out);

  [[nodiscard]] Verdict on_election(Monotonic now, const Standing& self, Seat from,
                                    const ElectionMessage& asked, Effects& out);
  [[nodiscard]] Verdict on_ok(Monotonic now, const Standing& self, Seat from, Epoch epoch, const Ok& ok,
                              Effects& out);
  [[nodiscard]] Verdict on_aye(Monotonic now, const Standing& self, Seat from, Epoch epoch, const Aye& aye);
  [[nodiscard]] Verdict on_nay(Monotonic now, const Standing& self, Seat from, Epoch epoch, const Nay& nay);

  // E6: it stands in a new epoch; gives the number of its candidacy.
  std::uint64_t on_stood(Monotonic now);
  // Its own vote counts once it is on disk ★.
  [[nodiscard]] Verdict on_own_vote_written();
  [[nodiscard]] Verdict on_vote(Monotonic now, Seat from, const Vote& vote);
  [[nodiscard]] SeatSet voters() const { return votes_; }
  [[nodiscard]] Monotonic stood_at() const { return stood_at_; }

  // A higher epoch was adopted, or office was lost: what it was about is over. Holding goes on.
  void on_epoch_over();
  // It voted for another, or takes over another's journal: that one is given so much time.
  void be_patient(Monotonic now, Duration patience);
  // Its vote left only now.
  void on_vote_told(Monotonic now) { next_probe_ = std::max(next_probe_, now + config_.timers.vote); }
  // A leader of this epoch was heard: the vacancy is over; as it is when this broker is elected.
  void on_leader_heard() { end_vacancy(); }

  // When tick() has something to do.
  [[nodiscard]] Monotonic deadline() const { return deadline_; }
  [[nodiscard]] Monotonic next_probe() const { return next_probe_; }

 private:
  void hold(Monotonic now, Seat better);
  void end_vacancy();
  [[nodiscard]] Verdict decide(Monotonic now, const Standing& self);
  [[nodiscard]] bool complete(Monotonic now, const Standing& self) const;
  void give_up(Monotonic now);
  [[nodiscard]] Duration retry();
  void saw(Epoch epoch, const Rank& rank);
  [[nodiscard]] std::size_t needed() const;
  [[nodiscard]] Verdict count(Seat voter);

  const GroupConfig& config_;
  Prng prng_;
  Role role_ = Role::Follower;
  Monotonic deadline_ = Monotonic::max();  // of the role
  Monotonic next_probe_ = Monotonic::min();

  // This probe
  std::uint64_t round_ = 0;  // only grows; answers to older rounds are ignored
  Monotonic asked_at_{};
  SeatSet ayes_;
  SeatSet answered_;
  bool leader_is_alive_ = false;  // somebody said so
  Rank best_;
  Epoch highest_seen_;

  // This vacancy: until a leader is heard
  SeatSet suppressors_;  // they made it hold back, now
  SeatSet ignored_;      // they did before, and took no office
  bool insist_ = false;
  Monotonic modest_until_ = Monotonic::min();

  // This candidacy. Its request leaves before its own vote is on disk; after a crash the same epoch may be
  // stood for again, with a shorter journal: a number of its own keeps the two apart.
  std::uint64_t candidacy_ = 0;
  SeatSet votes_;
  SeatSet refusals_;
  Monotonic stood_at_{};
};

}  // namespace cidbus::group
