#include "broker/consensus/group.h"

#include <algorithm>

#include "broker/consensus/rules.h"
#include "shared/base/ensure.h"

namespace cidbus::group {

Group::Group(GroupConfig config, GroupStart start, Monotonic now, Prng prng)
    : config_(std::move(config)),
      votes_(start.epoch, start.voted),
      log_(std::move(start.log)),
      commit_(config_.size() == 1 ? LogIndex{} : start.applied),
      apply_(start.applied),
      election_(config_, prng),
      contact_(config_.timers, now),
      following_(config_.durability),
      replication_(config_),
      sender_(config_),
      handover_(config_, prng.fork()),
      mending_(config_, prng.fork()),
      repair_(start.repairing, start.is_new, prng.fork()),
      comparison_(config_),
      last_step_(now) {
  ENSURE(log_.last().epoch <= start.epoch, "epoch", start.epoch.value, "log", log_.last().epoch.value);
  ENSURE(config_.size() > 1 || (log_.holes().empty() && !start.repairing), "a damaged broker alone");
  log_.on_in_state(start.applied);
  if (config_.size() == 1) contact_.suspect_at_once(now);
}

void Group::step(Monotonic now, Input input, Effects& out) {
  on_clock(now, out);
  std::visit([&](auto& value) { on(now, value, out); }, input);
  if (repair_.needed()) drive_repair(now, out);
}

// Before anything else: what the passing of time has already decided (E9, loop rule).
void Group::on_clock(Monotonic now, Effects& out) {
  const Duration stood_still = now - last_step_;
  const auto promised = deadline();
  const bool late = promised && now - *promised > config_.timers.check_quorum;
  last_step_ = now;
  if (config_.size() == 1) return;
  if (late) {
    out.notice(NoticeKind::StoodStill, config_.self(), votes_.epoch(),
               static_cast<std::uint64_t>(stood_still / std::chrono::milliseconds(1)));
    if (in_office()) {
      leave_office(now, WhyDeposed::StoodStill, out);
    } else {
      contact_.on_stood_still(now);
    }
  } else if (in_office() && !replication_.in_good_standing(now)) {
    leave_office(now, WhyDeposed::NoQuorum, out);
  }
}

Rank Group::rank() const {
  const bool unfit =
      room_.full || room_.low || draining_ || log_.whole() != log_.last() ||
      (repair_.needed() && !may_found()) || (!in_office() && apply_.lags(log_, applicable())) ||
      !comparison_.good() ||
      (unsynced_since_ != Monotonic::max() && last_step_ - unsynced_since_ > config_.timers.suspicion);
  return {log_.whole(), unfit ? -1 : config_.at(config_.self()).priority, config_.self()};
}

bool Group::may_stand() const {
  return !room_.full && !draining_ && !receiver_.installing() && (!repair_.needed() || may_found()) &&
         comparison_.good();
}

bool Group::may_vote(const LogPosition& candidate) const {
  if (!repair_.needed() || !holds(Rule::RepairFirst)) return true;
  if (repair_.is_new() && !holds(Rule::NewHasNoSay)) return true;
  return may_found() && candidate == LogPosition{};
}

LogIndex Group::applicable() const {
  return comparison_.is_quarantined() ? apply_.given() : std::min(commit_, log_.whole().index);
}

std::vector<SharedBatch> Group::take_committed(std::size_t records, Effects& out) {
  return apply_.take(log_, applicable(), records, out);
}

Standing Group::standing(Monotonic now) const {
  Standing self;
  self.rank = rank();
  self.claim = log_.last();
  self.fit = self.rank.priority >= 0;
  self.may_stand = may_stand();
  self.epoch = votes_.epoch();
  self.leader = leader();
  self.leader_alive = in_office() || contact_.heard_lately(now);
  self.connection_broke = contact_.connection_is_broken();
  return self;
}

Seat Group::heard_leader(Monotonic now) const {
  return in_office() || now < contact_.suspicious_at() ? leader() : nobody;
}

// ---- time

void Group::on(Monotonic now, const Tick&, Effects& out) {
  mending_.tick(now, log_, votes_.epoch(), out);
  if (in_office()) return lead(now, out);
  obey(now, election_.tick(now, standing(now), out), out);
  if (catch_up_.under_way() && now >= catch_up_.deadline()) catch_up_.stop();
  if (now >= next_probe()) obey(now, election_.probe(now, standing(now), out), out);
}

Monotonic Group::next_probe() const {
  if (role() != Role::Follower || !may_stand() || catch_up_.under_way()) return Monotonic::max();
  return std::max(contact_.suspicious_at(), election_.next_probe());
}

void Group::lead(Monotonic now, Effects& out) {
  if (config_.size() == 1) return;
  if (unsynced_since_ != Monotonic::max() && now - unsynced_since_ >= config_.timers.slow_disk)
    return leave_office(now, WhyDeposed::SlowDisk, out);
  if (now >= next_beat_) beat(now, out);
  replication_.tick(now, out);
  sender_.tick(now, replication_, votes_.epoch(), out);
  handover_.tick(now, log_, commit_, replication_, votes_.epoch(), out);
  const Seat preferred = handover_.preferred(now, replication_, history_, rank().priority);
  if (preferred != nobody) hand_over(now, preferred, out);
}

std::optional<Monotonic> Group::deadline() const {
  Monotonic at = Monotonic::max();
  if (in_office()) {
    if (config_.size() == 1) return std::nullopt;
    at = std::min({next_beat_, replication_.deadline(), replication_.standing_until(), handover_.deadline(),
                   sender_.deadline(), mending_.deadline(log_)});
    if (unsynced_since_ != Monotonic::max()) at = std::min(at, unsynced_since_ + config_.timers.slow_disk);
  } else {
    at = std::min({election_.deadline(), next_probe(), catch_up_.deadline(), mending_.deadline(log_),
                   repair_.deadline(contact_.leader())});
  }
  return at == Monotonic::max() ? std::nullopt : std::optional(at);
}

void Group::beat(Monotonic now, Effects& out) {
  next_beat_ = now + config_.timers.heartbeat;
  comparison_.ask(now);
  const Beat message{commit_,     read_round_,         now.time_since_epoch().count(),
                     log_.last(), comparison_.asked(), comparison_.counts()};
  for (std::size_t at = 0; at < config_.size(); ++at)
    if (static_cast<Seat>(at) != config_.self()) out.send(static_cast<Seat>(at), votes_.epoch(), message);
}

// ---- office

void Group::obey(Monotonic now, Verdict verdict, Effects& out) {
  switch (verdict) {
    case Verdict::Nothing:
      return;
    case Verdict::Stand:
      return stand(now, 0, out);
    case Verdict::Elected:
      return take_office(now, out);
    case Verdict::CatchUp:
      return catch_up_.begin(now, config_.timers, log_, votes_.epoch(), election_.best().seat, out);
  }
}

// E6.
void Group::stand(Monotonic now, std::uint64_t token, Effects& out) {
  ENSURE(log_.whole() == log_.last() && (!repair_.needed() || may_found()), "a damaged broker stands",
         log_.last().index.value);
  // Whoever was handed the office stands in the very next epoch; others above all that they have seen.
  const Epoch above = token != 0 ? votes_.epoch() : std::max(votes_.epoch(), election_.highest_seen());
  adopt(now, {above.value + 1}, out);
  votes_.vote_for(config_.self());
  const std::uint64_t candidacy = election_.on_stood(now);
  out.notice(NoticeKind::Standing, config_.self(), votes_.epoch());
  out.add(WriteVote{votes_.epoch(), config_.self()});
  for (std::size_t at = 0; at < config_.size(); ++at)
    if (static_cast<Seat>(at) != config_.self())
      out.send(static_cast<Seat>(at), votes_.epoch(), VoteRequest{log_.last(), candidacy, token});
}

// E9.
void Group::take_office(Monotonic now, Effects& out) {
  ENSURE(votes_.voted() == config_.self(), "epoch", votes_.epoch().value, "voted", place(votes_.voted()));
  open_.reset();
  catch_up_.stop();
  replication_.begin(now, log_, votes_.epoch(), election_.voters(), election_.stood_at());
  replication_.tell_commit(commit_);
  sender_.on_office();
  handover_.on_office(now);
  comparison_.on_office();
  next_beat_ = now;
  out.add(LeaderKnown{config_.self(), votes_.epoch()});
  // A majority that holds nothing founds the group. The disk must know that before OPEN is anywhere.
  founding_ = repair_.needed();
  if (founding_) return out.add(WriteRepaired{});
  out.add(TakeOffice{votes_.epoch()});
}

void Group::leave_office(Monotonic now, WhyDeposed why, Effects& out) {
  election_.on_epoch_over();
  contact_.forget_leader();
  contact_.be_patient(now);
  following_.begin();
  handover_.on_left_office();
  open_.reset();
  founding_ = false;
  out.add(LeaveOffice{votes_.epoch(), why});
  out.add(LeaderKnown{nobody, votes_.epoch()});
}

// The general epoch rule of section 2.
void Group::adopt(Monotonic now, Epoch epoch, Effects& out) {
  const bool offered = handover_.stage() == Handover::Stage::Offered;
  if (in_office()) leave_office(now, offered ? WhyDeposed::HandedOver : WhyDeposed::HigherEpoch, out);
  const bool knew_one = contact_.leader() != nobody;
  votes_.adopt(epoch);
  repair_.on_new_epoch();
  election_.on_epoch_over();
  contact_.forget_leader();
  following_.begin();
  if (knew_one) out.add(LeaderKnown{nobody, epoch});
}

// ---- handing over (H1 to H3)

void Group::hand_over(Monotonic now, Seat successor, Effects& out) {
  if (!serving() || handover_.stage() != Handover::Stage::None) return;
  handover_.begin(now, successor, votes_.epoch(), out);
  handover_.tick(now, log_, commit_, replication_, votes_.epoch(), out);
}

void Group::on(Monotonic now, const HandOver& wish, Effects& out) {
  if (!in_office() || config_.size() == 1) return;
  const Seat best = handover_.best_successor(now, replication_);
  const Seat successor = wish.successor != nobody ? wish.successor : best;
  if (successor != nobody && successor != config_.self() && serving()) return hand_over(now, successor, out);
  if (wish.resign) resign(now, WhyDeposed::Resigned, out);
}

void Group::resign(Monotonic now, WhyDeposed why, Effects& out) {
  for (std::size_t at = 0; at < config_.size(); ++at)
    if (static_cast<Seat>(at) != config_.self()) out.send(static_cast<Seat>(at), votes_.epoch(), Resign{});
  leave_office(now, why, out);
}

void Group::on(Monotonic now, const HandoverProposed&, Effects& out) {
  handover_.on_sealed();
  if (in_office()) handover_.tick(now, log_, commit_, replication_, votes_.epoch(), out);
}

void Group::on(Monotonic, const Draining& draining, Effects&) { draining_ = draining.on; }

void Group::on(Monotonic, const OfficeApplied& applied, Effects&) {
  if (applied.leader == nobody) {
    history_.on_handover();
  } else {
    history_.on_open(applied.leader, applied.time);
  }
}

// ---- what the driver proposes, and the disk says

void Group::on(Monotonic now, const Proposed& proposed, Effects& out) {
  // It was deposed by this very step: LeaveOffice is among the effects.
  if (!in_office() || peek_batch_header(*proposed.batch)->epoch != votes_.epoch()) return;
  log_.append(proposed.batch);
  if (!open_) open_ = peek_batch_header(*proposed.batch)->first;
  if (unsynced_since_ == Monotonic::max()) unsynced_since_ = now;
  out.add(WriteBatch{proposed.batch, votes_.epoch()});
  replication_.pump(now, log_, out);
  advance_commit(now, out);
}

void Group::advance_commit(Monotonic now, Effects& out) {
  const LogIndex committed = replication_.committed(log_);
  if (committed > commit_) {
    commit_ = committed;
    replication_.tell_commit(commit_);
  }
  if (handover_.stage() != Handover::Stage::None)
    handover_.tick(now, log_, commit_, replication_, votes_.epoch(), out);
}

void Group::on(Monotonic now, const VoteWritten& written, Effects& out) {
  // The vote of a new folder for another is one for a candidate that holds nothing, and founds (D4).
  if (repair_.is_new() && written.voted != config_.self()) repair_.on_written();
  if (!votes_.on_persisted(written.epoch, written.voted)) return;
  if (written.voted == config_.self()) return obey(now, election_.on_own_vote_written(), out);
  election_.on_vote_told(now);
  out.send(written.voted, votes_.epoch(), Vote{asked_for_, true, log_.last()});
}

void Group::on(Monotonic now, const BatchesWritten& written, Effects& out) {
  log_.on_persisted(written.end);
  unsynced_since_ = log_.durable() < log_.last().index ? now : Monotonic::max();
  tell_journal_idle(out);
  if (in_office()) return advance_commit(now, out);
  if (contact_.leader() != nobody)
    following_.on_durable(log_, votes_.epoch(), contact_.leader(), own_disk(), out);
}

void Group::on(Monotonic, const CutDone&, Effects& out) {
  log_.on_cut_done();
  tell_journal_idle(out);
}

// What was read may have been cut since, or be on its way to be: only what the log holds is of use.
void Group::on(Monotonic now, BatchesRead& read, Effects& out) {
  const bool gone = read.batches.empty();
  std::size_t held = 0;
  while (held < read.batches.size() && log_.has(position_of(peek_batch_header(*read.batches[held])->end())))
    ++held;
  read.batches.resize(held);
  switch (read.purpose) {
    case ReadFor::Applying:
      return apply_.on_read(read.from, applicable(), read.batches);
    case ReadFor::Mending:
      return mending_.answer_read(log_, votes_.epoch(), read.peer, read.batches, out);
    case ReadFor::Fetching:
      return answer_read(log_, votes_.epoch(), read.peer, read.from, read.batches, out);
    case ReadFor::Following:
      if (in_office()) replication_.on_read(now, log_, read.peer, read.from, read.batches, gone, out);
      return;
  }
}

// ---- snapshots (section 6)

void Group::on(Monotonic now, const SnapshotRead& read, Effects& out) {
  if (in_office()) sender_.on_read(now, log_, read, votes_.epoch(), out);
}

void Group::on(Monotonic, const PieceReceived& received, Effects& out) {
  receiver_.on_piece_written(votes_.epoch(), received.next, out);
  tell_journal_idle(out);
}

void Group::tell_journal_idle(Effects& out) {
  if (log_.disk_is_level() && !mending_.refilling())
    receiver_.on_journal_idle(comparison_.is_quarantined(), out);
}

void Group::on(Monotonic, const SnapshotInstalled& installed, Effects& out) {
  if (comparison_.is_quarantined())
    out.notice(NoticeKind::StateReplaced, contact_.leader(), votes_.epoch(), installed.last.last.value);
  comparison_.on_replaced();
  if (installed.journal_end == installed.last) log_.begin_anew(installed.last);
  log_.on_in_state(installed.last.last);
  commit_ = std::max(commit_, installed.last.last);
  apply_.begin_anew(installed.last.last);
  receiver_.on_installed(votes_.epoch(), out);
}

void Group::on(Monotonic, const ReceiveFailed&, Effects& out) { receiver_.on_failed(votes_.epoch(), out); }

// ---- damage (D1 to D3)

OwnDisk Group::own_disk() const {
  const bool damaged = config_.durability == Durability::Memory && log_.whole() != log_.last();
  return {room_.full, damaged || (repair_.needed() && holds(Rule::RepairFirst))};
}

void Group::on(Monotonic now, const HoleRefilled& refilled, Effects& out) {
  mending_.on_refilled(now, log_, refilled.end);
  out.notice(NoticeKind::Refilled, nobody, votes_.epoch(), refilled.end.last.value);
  tell_journal_idle(out);
  if (!in_office() && contact_.leader() != nobody)
    following_.on_durable(log_, votes_.epoch(), contact_.leader(), own_disk(), out);
}

void Group::drive_repair(Monotonic now, Effects& out) {
  repair_.tick(now, config_.timers, contact_.leader(), votes_.epoch(), out);
  if (repair_.reached(following_.durable(log_))) out.add(WriteRepaired{});
}

void Group::on(Monotonic, const RepairedWritten&, Effects& out) {
  if (repair_.needed() && !founding_)
    out.notice(NoticeKind::Repaired, nobody, votes_.epoch(), log_.last().index.value);
  repair_.on_written();
  if (std::exchange(founding_, false)) out.add(TakeOffice{votes_.epoch()});
}

void Group::on(Monotonic, const Freed& freed, Effects&) { log_.on_freed(freed.first); }

void Group::on(Monotonic, const RoomKnown& room, Effects&) { room_ = room; }

// ---- connections

void Group::on(Monotonic now, const Connected& connected, Effects& out) {
  contact_.on_connected(connected.peer);
  if (in_office()) replication_.on_connected(now, connected.peer, out);
}

void Group::on(Monotonic now, const Disconnected& disconnected, Effects&) {
  contact_.on_disconnected(now, disconnected.peer);
}

// ---- reads (section 9)

std::uint64_t Group::ask_read(Monotonic now, Effects& out) {
  ENSURE(serving(), "role", to_text(role()));
  if (confirmed_round_ < read_round_) return wanted_round_ = read_round_ + 1;
  wanted_round_ = ++read_round_;
  if (config_.size() == 1) {
    confirmed_round_ = read_round_;
    out.add(ReadsConfirmed{read_round_});
  } else {
    beat(now, out);
  }
  return read_round_;
}

std::string_view to_text(Role role) {
  static constexpr std::array<std::string_view, 5> names = {"follower", "probing", "holding", "candidate",
                                                            "leader"};
  return names[static_cast<std::size_t>(role)];
}

std::string_view to_text(WhyDeposed why) {
  static constexpr std::array<std::string_view, 7> names = {
      "a higher epoch began",        "no majority answers it",    "it stood still",
      "its disk is too slow",        "it handed over its office", "it resigned",
      "a majority has another state"};
  return names[static_cast<std::size_t>(why)];
}

}  // namespace cidbus::group
