// Group: a broker's part in its group, whole: who leads, what is replicated, what is committed. CONSENSUS.md
// sections 1 to 9; the rules themselves are in the modules beside this one, each under its number.
//
// A pure machine: step(now, input) gives effects (effects.h). The driver carries them out in order, hands in
// what comes back, and calls with a Tick at deadline() at the latest, after everything that has arrived.
//
//   driver                                     Group
//   a message came, the disk answered   ──▶    step(now, Received | BatchesWritten | …)
//   a batch was sealed, in office       ──▶    step(now, Proposed)
//   the end of a turn                   ──▶    step(now, Tick)
//   send, write, cut, read              ◀──    effects
//   TakeOffice: append OPEN             ◀──
//   apply                               ◀──    take_committed()
//
// A group of one is its own majority: it stands at start, and everything else follows as for five.
//
// Invariants (CONSENSUS section 13; here what one broker can see, in tests/sim/group the others)
//  1. I1: one leader an epoch: the leader of the own epoch never changes.
//  2. I3, I4: what is committed is never cut (following.h), and no vote goes to one who lacks it.
//  3. I6: epoch and commit never decrease.
//  4. A deposed leader appends nothing: Proposed counts only between TakeOffice and LeaveOffice.
//
// Thread rule: pure; one owner. Limits: limits/group.h.
#pragma once

#include <optional>

#include "broker/consensus/apply_queue.h"
#include "broker/consensus/catch_up.h"
#include "broker/consensus/election.h"
#include "broker/consensus/following.h"
#include "broker/consensus/handover.h"
#include "broker/consensus/inputs.h"
#include "broker/consensus/leader_contact.h"
#include "broker/consensus/log_window.h"
#include "broker/consensus/mending.h"
#include "broker/consensus/repair.h"
#include "broker/consensus/replication.h"
#include "broker/consensus/snapshot_transfer.h"
#include "broker/consensus/state_comparison.h"
#include "broker/consensus/vote_state.h"

namespace cidbus::group {

// What a broker finds on its disk.
struct GroupStart {
  Epoch epoch;          // the higher of the vote file's and of any office's in the journal
  Seat voted = nobody;  // in that epoch, as the vote file says
  LogWindow log;     // all that the journal holds; its last record is the newest identifier's, intact or not
  LogIndex applied;  // what the state machine holds: of a snapshot, which is committed
  bool repairing = false;  // the journal was lost, and is being brought up again (D3)
  bool is_new = false;     // repairing because the folder is new (D4)
};

class Group {
 public:
  Group(GroupConfig config, GroupStart start, Monotonic now, Prng prng);
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  void step(Monotonic now, Input input, Effects& out);
  // When a Tick is wanted at the latest; nothing while only input can change anything.
  [[nodiscard]] std::optional<Monotonic> deadline() const;
  // Batches to apply now, until they hold `records` or more, each once.
  std::vector<SharedBatch> take_committed(std::size_t records, Effects& out);
  [[nodiscard]] bool has_committed() const { return apply_.has(applicable()); }
  // A read that must see all accepted so far (section 9) may be answered when ReadsConfirmed names this round
  // or a later one, and commit() of then is applied. REQUIRES: serving().
  [[nodiscard]] std::uint64_t ask_read(Monotonic now, Effects& out);
  [[nodiscard]] Role role() const { return election_.role(); }
  [[nodiscard]] bool in_office() const { return role() == Role::Leader; }
  // Its OPEN is committed: clients are served once it is applied too.
  [[nodiscard]] bool serving() const { return in_office() && open_ && commit_ >= *open_; }
  [[nodiscard]] Epoch epoch() const { return votes_.epoch(); }
  [[nodiscard]] Rank rank() const;  // its priority is -1 while it is unfit
  [[nodiscard]] Seat leader() const { return in_office() ? config_.self() : contact_.leader(); }
  // The leader that it hears, itself included; nobody when the one it knew is silent.
  [[nodiscard]] Seat heard_leader(Monotonic now) const;
  [[nodiscard]] bool handing_over() const { return handover_.stage() != Handover::Stage::None; }
  [[nodiscard]] LogIndex commit() const { return commit_; }
  [[nodiscard]] const LogWindow& log() const { return log_; }
  [[nodiscard]] bool repairing() const { return repair_.needed(); }
  [[nodiscard]] const VoteState& votes() const { return votes_; }
  [[nodiscard]] const GroupConfig& config() const { return config_; }
  [[nodiscard]] const StateComparison& comparison() const { return comparison_; }
  // REQUIRES: in_office().
  [[nodiscard]] const Replication& replication() const { return replication_; }

 private:
  using Verdict = Election::Verdict;

  // group.cpp: inputs but messages
  void on_clock(Monotonic now, Effects& out);
  void on(Monotonic now, const Tick&, Effects& out);
  void on(Monotonic now, Received& received, Effects& out);
  void on(Monotonic now, const Connected& connected, Effects& out);
  void on(Monotonic now, const Disconnected& disconnected, Effects& out);
  void on(Monotonic now, const Proposed& proposed, Effects& out);
  void on(Monotonic now, const HandoverProposed&, Effects& out);
  void on(Monotonic now, const HandOver& wish, Effects& out);
  void on(Monotonic now, const Draining& draining, Effects& out);
  void on(Monotonic now, const OfficeApplied& applied, Effects& out);
  void on(Monotonic, const StatePassed& passed, Effects&) { comparison_.on_passed(passed.digest); }
  void on(Monotonic now, const VoteWritten& written, Effects& out);
  void on(Monotonic now, const BatchesWritten& written, Effects& out);
  void on(Monotonic now, const CutDone&, Effects& out);
  void on(Monotonic now, BatchesRead& read, Effects& out);
  void on(Monotonic now, const SnapshotRead& read, Effects& out);
  void on(Monotonic now, const PieceReceived& received, Effects& out);
  void on(Monotonic now, const SnapshotInstalled& installed, Effects& out);
  void on(Monotonic now, const ReceiveFailed&, Effects& out);
  void on(Monotonic now, const HoleRefilled& refilled, Effects& out);
  void on(Monotonic now, const RepairedWritten&, Effects& out);
  void on(Monotonic now, const Freed& freed, Effects& out);
  void on(Monotonic now, const RoomKnown& room, Effects& out);

  void lead(Monotonic now, Effects& out);
  void obey(Monotonic now, Verdict verdict, Effects& out);
  void stand(Monotonic now, std::uint64_t token, Effects& out);
  void hand_over(Monotonic now, Seat successor, Effects& out);
  void take_office(Monotonic now, Effects& out);
  void leave_office(Monotonic now, WhyDeposed why, Effects& out);
  void adopt(Monotonic now, Epoch epoch, Effects& out);
  void resign(Monotonic now, WhyDeposed why, Effects& out);
  void beat(Monotonic now, Effects& out);
  void advance_commit(Monotonic now, Effects& out);
  [[nodiscard]] Standing standing(Monotonic now) const;
  [[nodiscard]] bool may_stand() const;
  [[nodiscard]] bool may_found() const { return repair_.is_new() && log_.last() == LogPosition{}; }
  [[nodiscard]] bool may_vote(const LogPosition& candidate) const;  // for whoever has such a log (D3, D4)
  // Committed and held: a damaged record can not be applied; nor is any to a state that is wrong.
  [[nodiscard]] LogIndex applicable() const;
  [[nodiscard]] OwnDisk own_disk() const;
  void drive_repair(Monotonic now, Effects& out);
  void tell_journal_idle(Effects& out);
  [[nodiscard]] Monotonic next_probe() const;

  // group_receive.cpp: a message each
  void receive(Monotonic now, Seat from, Epoch epoch, const ElectionMessage& message, Effects& out);
  void receive(Monotonic now, Seat from, Epoch epoch, const Ok& message, Effects& out);
  void receive(Monotonic now, Seat from, Epoch epoch, const Aye& message, Effects& out);
  void receive(Monotonic now, Seat from, Epoch epoch, const Nay& message, Effects& out);
  void receive(Monotonic now, Seat from, Epoch epoch, const VoteRequest& message, Effects& out);
  void receive(Monotonic now, Seat from, Epoch epoch, const Vote& message, Effects& out);
  void receive(Monotonic now, Seat from, Epoch epoch, const Beat& message, Effects& out);
  void receive(Monotonic now, Seat from, Epoch epoch, const BeatAck& message, Effects& out);
  void receive(Monotonic now, Seat from, Epoch epoch, const Append& message, Effects& out);
  void receive(Monotonic now, Seat from, Epoch epoch, const AppendAck& message, Effects& out);
  void receive(Monotonic now, Seat from, Epoch epoch, const Fetch& message, Effects& out);
  void receive(Monotonic now, Seat from, Epoch epoch, const FetchData& message, Effects& out);
  void receive(Monotonic now, Seat from, Epoch epoch, const SnapBegin& message, Effects& out);
  void receive(Monotonic now, Seat from, Epoch epoch, const SnapChunk& message, Effects& out);
  void receive(Monotonic now, Seat from, Epoch epoch, const SnapAck& message, Effects& out);
  void receive(Monotonic now, Seat from, Epoch epoch, const HandoverMessage& message, Effects& out);
  void receive(Monotonic now, Seat from, Epoch epoch, const Refuse& message, Effects& out);
  void receive(Monotonic now, Seat from, Epoch epoch, const Resign& message, Effects& out);
  void receive(Monotonic now, Seat from, Epoch epoch, const RepairRequest& message, Effects& out);
  void receive(Monotonic now, Seat from, Epoch epoch, const RepairGoal& message, Effects& out);
  void receive(Monotonic, Seat, Epoch, const ProposalVote&, Effects&) {}  // the driver has taken it
  void receive_holes(Monotonic now, Seat from, const FetchData& message, Effects& out);
  void hear_leader(Monotonic now, Seat from, Effects& out);
  void compare_states(Seat leader, const Beat& beat, Effects& out);
  void follow_commit(LogIndex commit, Effects& out);
  void tell_epoch(Seat to, Effects& out);
  void grant(Monotonic now, Seat candidate, std::uint64_t candidacy, Effects& out);

  GroupConfig config_;
  VoteState votes_;
  LogWindow log_;
  std::uint64_t asked_for_ = 0;  // candidacy that the vote now being written answers
  LogIndex commit_;              // only grows
  ApplyQueue apply_;
  Election election_;
  LeaderContact contact_;
  Following following_;
  CatchUp catch_up_;
  Replication replication_;
  SnapshotSender sender_;
  SnapshotReceiver receiver_;
  Handover handover_;
  OfficeHistory history_;
  Mending mending_;
  Repair repair_;
  StateComparison comparison_;

  // in office
  std::optional<LogIndex> open_;  // its OPEN, once proposed
  bool founding_ = false;  // the disk is told that this folder is one of the group's now (D4); then OPEN
  Monotonic next_beat_{};
  std::uint64_t read_round_ = 0;    // only grows; in every BEAT
  std::uint64_t wanted_round_ = 0;  // a read waits for it
  std::uint64_t confirmed_round_ = 0;

  Monotonic last_step_;
  Monotonic unsynced_since_ = Monotonic::max();  // something waits for the disk since then
  RoomKnown room_;                               // on its disk
  bool draining_ = false;
};

}  // namespace cidbus::group
