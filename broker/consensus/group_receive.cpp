#include <algorithm>
#include <limits>

#include "broker/consensus/group.h"
#include "broker/consensus/rules.h"
#include "shared/base/ensure.h"

namespace cidbus::group {
namespace {

// The probe and its answers, which never change epochs, and VOTE_REQ, which has a rule of its own (E7).
bool leaves_epochs_alone(const GroupMessage& message) {
  return std::holds_alternative<ElectionMessage>(message) || std::holds_alternative<Ok>(message) ||
         std::holds_alternative<Aye>(message) || std::holds_alternative<Nay>(message) ||
         std::holds_alternative<VoteRequest>(message);
}

}  // namespace

void Group::on(Monotonic now, Received& received, Effects& out) {
  ENSURE(place(received.from) < config_.size() && received.from != config_.self(), "from",
         place(received.from));
  if (!leaves_epochs_alone(received.message) && received.epoch > votes_.epoch())
    adopt(now, received.epoch, out);
  std::visit([&](const auto& message) { receive(now, received.from, received.epoch, message, out); },
             received.message);
}

// ---- election

void Group::receive(Monotonic now, Seat from, Epoch, const ElectionMessage& message, Effects& out) {
  contact_.on_second_witness();
  Standing self = standing(now);
  self.may_vote = may_vote(message.rank.log);
  obey(now, election_.on_election(now, self, from, message, out), out);
}

void Group::receive(Monotonic now, Seat from, Epoch epoch, const Ok& message, Effects& out) {
  obey(now, election_.on_ok(now, standing(now), from, epoch, message, out), out);
}

void Group::receive(Monotonic now, Seat from, Epoch epoch, const Aye& message, Effects& out) {
  obey(now, election_.on_aye(now, standing(now), from, epoch, message), out);
}

void Group::receive(Monotonic now, Seat from, Epoch epoch, const Nay& message, Effects& out) {
  obey(now, election_.on_nay(now, standing(now), from, epoch, message), out);
}

// E7.
void Group::receive(Monotonic now, Seat from, Epoch epoch, const VoteRequest& message, Effects& out) {
  const Vote refused{message.candidacy, false, log_.last()};
  if (epoch < votes_.epoch()) return out.send(from, votes_.epoch(), refused);
  // Whoever was offered the office stands in the very next epoch: the leader itself has asked for it. That
  // one knows whether it still does; others only that it goes on, from a record behind the offer.
  const bool stands = in_office() ? handover_.offers(from, message.token) : message.log >= log_.last();
  const bool offered = message.token != 0 && epoch.value == votes_.epoch().value + 1 && stands;
  if ((in_office() || contact_.heard_lately(now)) && !offered) return;
  if (epoch > votes_.epoch()) adopt(now, epoch, out);
  const LogPosition claim = holds(Rule::ClaimKept) ? log_.last() : log_.whole();
  const bool has_all = message.log >= claim || !holds(Rule::RankOfJournal);
  if (!has_all || !may_vote(message.log) || !votes_.may_vote_for(from))
    return out.send(from, votes_.epoch(), refused);
  grant(now, from, message.candidacy, out);
}

void Group::grant(Monotonic now, Seat candidate, std::uint64_t candidacy, Effects& out) {
  asked_for_ = candidacy;
  votes_.vote_for(candidate);
  election_.be_patient(now, config_.timers.vote);
  out.notice(NoticeKind::Voted, candidate, votes_.epoch());
  if (votes_.durable() || (!holds(Rule::VoteKept) && !repair_.is_new())) {
    out.send(candidate, votes_.epoch(), Vote{candidacy, true, log_.last()});
  } else {
    out.add(WriteVote{votes_.epoch(), candidate, repair_.is_new()});
  }
}

void Group::receive(Monotonic now, Seat from, Epoch epoch, const Vote& message, Effects& out) {
  if (epoch != votes_.epoch() && holds(Rule::OwnCandidacy)) return;
  obey(now, election_.on_vote(now, from, message), out);
}

// ---- heartbeats

// I1: whoever speaks as leader of the own epoch is its only one.
void Group::hear_leader(Monotonic now, Seat from, Effects& out) {
  ENSURE(!in_office(), "two leaders of epoch", votes_.epoch().value, "the other is", place(from));
  const bool is_new = contact_.leader() == nobody;
  ENSURE(is_new || contact_.leader() == from, "two leaders of epoch", votes_.epoch().value,
         place(contact_.leader()), place(from));
  contact_.on_heard(now, from);
  election_.on_leader_heard();
  catch_up_.stop();
  if (is_new) out.add(LeaderKnown{from, votes_.epoch()});
}

// The answer to a leader of a lower epoch, which learns the own one and steps down. Nothing else in it is
// said: it may arrive when the same broker leads in this very epoch, and must not pass for an answer then.
void Group::tell_epoch(Seat to, Effects& out) {
  out.send(to, votes_.epoch(),
           BeatAck{0, std::numeric_limits<std::int64_t>::min(), {}, rank().priority, {}, false});
}

void Group::follow_commit(LogIndex commit, Effects&) {
  commit_ = std::max(commit_, std::min(commit, following_.match()));
}

void Group::receive(Monotonic now, Seat from, Epoch epoch, const Beat& message, Effects& out) {
  if (epoch < votes_.epoch()) return tell_epoch(from, out);
  hear_leader(now, from, out);
  following_.on_leader_at(log_, message.last);
  follow_commit(message.commit, out);
  compare_states(from, message, out);
  out.send(from, votes_.epoch(),
           BeatAck{message.read_round, message.sent,
                   own_disk().provisional ? LogIndex{} : following_.durable(log_), rank().priority,
                   comparison_.at(message.state.index), comparison_.is_quarantined()});
}

// R7, at a follower.
void Group::compare_states(Seat leader, const Beat& beat, Effects& out) {
  const auto verdict = comparison_.on_told(beat.state, beat.state_counts);
  if (verdict == StateComparison::Verdict::Nothing) return;
  const bool again = verdict == StateComparison::Verdict::WrongAgain;
  out.notice(again ? NoticeKind::StateDiffersAgain : NoticeKind::StateQuarantined, leader, votes_.epoch(),
             beat.state.index.value);
}

void Group::receive(Monotonic now, Seat from, Epoch epoch, const BeatAck& message, Effects& out) {
  if (epoch != votes_.epoch() || !in_office()) return;
  replication_.on_beat_ack(now, log_, from, message, out);
  advance_commit(now, out);
  // Before its OPEN is committed a leader may know less to be committed than others have applied.
  sender_.on_wish(from, message.wants_state && serving(), commit_);
  if (comparison_.on_answer(from, message.state))
    out.notice(NoticeKind::StateDiffers, from, votes_.epoch(), message.state.index.value);
  if (comparison_.is_outvoted()) {
    comparison_.on_outvoted();
    return resign(now, WhyDeposed::Outvoted, out);
  }
  const std::uint64_t confirmed = replication_.confirmed_round(read_round_);
  if (confirmed <= confirmed_round_) return;
  confirmed_round_ = confirmed;
  out.add(ReadsConfirmed{confirmed});
  if (wanted_round_ <= read_round_ || confirmed < read_round_) return;
  read_round_ = wanted_round_;
  beat(now, out);
}

// ---- replication

void Group::receive(Monotonic now, Seat from, Epoch epoch, const Append& message, Effects& out) {
  if (epoch < votes_.epoch()) return tell_epoch(from, out);
  hear_leader(now, from, out);
  if (receiver_.installing()) return;  // the journal may begin anew in a moment
  following_.on_append(log_, commit_, votes_.epoch(), from, message, own_disk(), out);
  if (log_.durable() < log_.last().index && unsynced_since_ == Monotonic::max()) unsynced_since_ = now;
  follow_commit(message.commit, out);
}

void Group::receive(Monotonic now, Seat from, Epoch epoch, const AppendAck& message, Effects& out) {
  if (epoch != votes_.epoch() || !in_office()) return;
  replication_.on_ack(now, log_, from, message, out);
  advance_commit(now, out);
}

// ---- catching up (E8)

void Group::receive(Monotonic, Seat from, Epoch, const Fetch& message, Effects& out) {
  if (message.holes.empty()) return answer_fetch(log_, votes_.epoch(), from, message, out);
  mending_.answer(log_, votes_.epoch(), from, message, repair_.needed(), out);
}

void Group::receive(Monotonic now, Seat from, Epoch, const FetchData& message, Effects& out) {
  if (message.of_holes) return receive_holes(now, from, message, out);
  if (role() != Role::Follower || contact_.heard_lately(now) || !catch_up_.under_way()) return;
  if (receiver_.installing()) return;
  const auto progress =
      catch_up_.on_data(now, config_.timers, log_, commit_, votes_.epoch(), from, message, out);
  if (progress == CatchUp::Progress::Done) obey(now, election_.probe(now, standing(now), out), out);
}

// ---- damage (D1 to D3)

void Group::receive_holes(Monotonic now, Seat from, const FetchData& message, Effects& out) {
  if (receiver_.installing()) return;  // the journal may begin anew in a moment
  switch (mending_.on_data(now, log_, commit_, from, message, out)) {
    case Mending::Outcome::Nothing:
      return;
    case Mending::Outcome::OnlyInSnapshot:
      // As one whose log ends before it: the leader will send its state.
      if (from == contact_.leader())
        out.send(from, votes_.epoch(),
                 AppendAck{false, room_.full, log_.whole().index, following_.match(),
                           following_.durable(log_), log_.whole(), own_disk().provisional});
      return;
    case Mending::Outcome::NobodyHasIt: {
      const LogPosition whole = log_.whole();
      out.notice(NoticeKind::TailDropped, nobody, votes_.epoch(), whole.index.value + 1);
      log_.cut_after(whole, 0);
      out.add(CutFrom{next(whole.index)});
      return;
    }
  }
}

void Group::receive(Monotonic now, Seat from, Epoch epoch, const RepairRequest& message, Effects& out) {
  if (epoch != votes_.epoch() || !in_office()) return;
  replication_.on_lost(now, from);
  out.send(from, votes_.epoch(), RepairGoal{message.nonce, log_.last().index});
  replication_.on_connected(now, from, out);  // it holds less than it said once
}

void Group::receive(Monotonic now, Seat from, Epoch epoch, const RepairGoal& message, Effects& out) {
  if (epoch < votes_.epoch()) return tell_epoch(from, out);
  hear_leader(now, from, out);
  repair_.on_goal(message);
}

// ---- snapshots (section 6)

void Group::receive(Monotonic now, Seat from, Epoch epoch, const SnapBegin& message, Effects& out) {
  if (epoch < votes_.epoch()) return tell_epoch(from, out);
  hear_leader(now, from, out);
  const LogIndex last = message.last.index;
  bool held = last <= log_.whole().index && (log_.has(message.last) || commit_ >= last);
  if (comparison_.is_quarantined()) {
    // One in the place of the own state; it must not fall behind what was applied, and told by standbys.
    if (last < apply_.given()) return out.send(from, votes_.epoch(), SnapAck{message.last, 0, false, true});
    held = false;
  }
  receiver_.on_begin(from, votes_.epoch(), message, held, out);
}

void Group::receive(Monotonic now, Seat from, Epoch epoch, const SnapChunk& message, Effects& out) {
  if (epoch < votes_.epoch()) return tell_epoch(from, out);
  hear_leader(now, from, out);
  receiver_.on_chunk(from, votes_.epoch(), message, out);
}

void Group::receive(Monotonic now, Seat from, Epoch epoch, const SnapAck& message, Effects& out) {
  if (epoch != votes_.epoch() || !in_office()) return;
  if (sender_.on_ack(now, from, message, out))
    replication_.on_snapshot_installed(now, log_, from, message.last, out);
}

// ---- handing over

void Group::receive(Monotonic now, Seat from, Epoch epoch, const HandoverMessage& message, Effects& out) {
  if (epoch != votes_.epoch() || from != contact_.leader()) return;
  const bool can = may_stand() && rank().priority >= 0 && log_.whole() == message.last;
  if (!can) return out.send(from, votes_.epoch(), Refuse{message.token});
  stand(now, message.token, out);
}

void Group::receive(Monotonic, Seat from, Epoch epoch, const Refuse& message, Effects& out) {
  if (epoch == votes_.epoch() && in_office()) handover_.on_refused(from, message.token, epoch, out);
}

void Group::receive(Monotonic now, Seat from, Epoch epoch, const Resign&, Effects&) {
  if (epoch != votes_.epoch() || from != contact_.leader()) return;
  contact_.forget_leader();
  contact_.suspect_at_once(now);
}

}  // namespace cidbus::group
