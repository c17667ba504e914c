#include "broker/consensus/election.h"

#include <algorithm>

#include "broker/consensus/rules.h"
#include "shared/base/ensure.h"

namespace cidbus::group {

using Verdict = Election::Verdict;

Duration Election::retry() {
  const Duration h = config_.timers.heartbeat;
  return h + Duration(static_cast<Duration::rep>(prng_.below(2 * static_cast<std::uint64_t>(h.count()))));
}

void Election::saw(Epoch epoch, const Rank& rank) {
  highest_seen_ = std::max(highest_seen_, epoch);
  if (rank.log > best_.log || (!holds(Rule::AdoptOnlyBetter) && rank.log != best_.log)) best_ = rank;
}

Verdict Election::probe(Monotonic now, const Standing& self, Effects& out) {
  ENSURE(role_ != Role::Candidate && role_ != Role::Leader, "role", to_text(role_));
  role_ = Role::Probing;
  ++round_;
  ayes_.clear();
  ayes_.add(config_.self());
  answered_ = ayes_;
  leader_is_alive_ = false;
  best_ = self.rank;
  deadline_ = now + config_.timers.answers;
  asked_at_ = now;
  out.notice(NoticeKind::Probing, config_.self(), self.epoch, round_);
  for (std::size_t at = 0; at < config_.size(); ++at) {
    const Seat to = static_cast<Seat>(at);
    if (to != config_.self())
      out.send(to, self.epoch, ElectionMessage{round_, self.rank, self.claim, insist_});
  }
  return decide(now, self);
}

bool Election::complete(Monotonic now, const Standing& self) const {
  if (now >= asked_at_ + config_.timers.answers) return true;
  SeatSet settled = answered_;
  if (self.leader != nobody) settled.add(self.leader);  // the one that was lost
  return settled.size() == config_.size();
}

// E5.
Verdict Election::decide(Monotonic now, const Standing& self) {
  if (!complete(now, self)) return Verdict::Nothing;
  // T_ok is for the last answers. Where those of a majority are not in, the others may only be slow, and they
  // hold back as long: whoever gave up, and was modest, would be passed over by a worse one.
  if (answered_.size() < config_.majority() && now < asked_at_ + config_.timers.hold) {
    deadline_ = asked_at_ + config_.timers.hold;
    return Verdict::Nothing;
  }
  if (ayes_.size() >= needed() && self.may_stand && self.claim <= self.rank.log) {
    return Verdict::Stand;
  }
  const bool behind = best_.seat != config_.self() && answered_.size() >= config_.majority();
  // Whoever knows its leader's connection broken, while another still hears that leader, is merely early.
  const bool early = leader_is_alive_ && self.connection_broke;
  role_ = Role::Follower;
  deadline_ = Monotonic::max();
  if (early) {
    next_probe_ = now + config_.timers.reconnection;
  } else {
    modest_until_ = now + config_.timers.modesty;
    next_probe_ = now + retry();
  }
  return behind ? Verdict::CatchUp : Verdict::Nothing;
}

Verdict Election::tick(Monotonic now, const Standing& self, Effects& out) {
  if (now < deadline_) return Verdict::Nothing;
  switch (role_) {
    case Role::Probing:
      return decide(now, self);
    case Role::Holding:  // E4: they had their time
      if (holds(Rule::OkOnce)) {
        ignored_.add(suppressors_);
        insist_ = true;
      }
      suppressors_.clear();
      role_ = Role::Follower;
      deadline_ = Monotonic::max();
      return probe(now, self, out);
    case Role::Candidate:
      give_up(now);
      return Verdict::Nothing;
    default:
      return Verdict::Nothing;
  }
}

void Election::give_up(Monotonic now) {
  role_ = Role::Follower;
  deadline_ = Monotonic::max();
  modest_until_ = now + config_.timers.modesty;
  next_probe_ = now + retry();
}

void Election::hold(Monotonic now, Seat better) {
  suppressors_.add(better);
  if (role_ == Role::Holding) return;
  role_ = Role::Holding;
  deadline_ = now + config_.timers.hold;
}

// E3.
Verdict Election::on_election(Monotonic now, const Standing& self, Seat from, const ElectionMessage& asked,
                              Effects& out) {
  if (self.leader_alive) {
    out.send(from, self.epoch, Nay{asked.round, NayWhy::LeaderAlive, self.rank, self.leader});
    return Verdict::Nothing;
  }
  if (!self.may_vote) {
    out.send(from, self.epoch, Nay{asked.round, NayWhy::Unfit, self.rank, nobody});
    return Verdict::Nothing;
  }
  const bool would_vote = asked.rank.log >= self.claim || !holds(Rule::ClaimKept);  // E7
  if (asked.rank > self.rank && would_vote) {
    out.notice(NoticeKind::Yielding, from, self.epoch);
    out.send(from, self.epoch, Aye{asked.round, self.rank});
    if (role_ != Role::Candidate && !ignored_.has(from)) hold(now, from);
    return Verdict::Nothing;
  }
  const bool modest = now < modest_until_ && holds(Rule::OkOnce);
  const bool can =
      self.fit && self.may_stand && role_ != Role::Holding && !modest && self.claim <= self.rank.log;
  if (asked.rank.log == self.rank.log && would_vote && (asked.insist || !can)) {
    out.notice(NoticeKind::Yielding, from, self.epoch);
    out.send(from, self.epoch, Aye{asked.round, self.rank});
    return Verdict::Nothing;
  }
  if (!can) {
    out.send(from, self.epoch, Nay{asked.round, NayWhy::Stale, self.rank, nobody});
    return Verdict::Nothing;
  }
  out.notice(NoticeKind::Objecting, from, self.epoch);
  out.send(from, self.epoch, Ok{asked.round, self.rank});
  return role_ == Role::Follower ? probe(now, self, out) : Verdict::Nothing;
}

Verdict Election::on_ok(Monotonic now, const Standing& self, Seat from, Epoch epoch, const Ok& ok,
                        Effects& out) {
  if (ok.round != round_ || (role_ != Role::Probing && role_ != Role::Holding)) return Verdict::Nothing;
  saw(epoch, ok.rank);
  answered_.add(from);
  if (ignored_.has(from)) return role_ == Role::Probing ? decide(now, self) : Verdict::Nothing;
  out.notice(NoticeKind::Suppressed, from, epoch);
  hold(now, from);
  return Verdict::Nothing;
}

Verdict Election::on_aye(Monotonic now, const Standing& self, Seat from, Epoch epoch, const Aye& aye) {
  if (aye.round != round_ || role_ != Role::Probing) return Verdict::Nothing;
  saw(epoch, aye.rank);
  answered_.add(from);
  ayes_.add(from);
  return decide(now, self);
}

Verdict Election::on_nay(Monotonic now, const Standing& self, Seat from, Epoch epoch, const Nay& nay) {
  if (nay.round != round_ || role_ != Role::Probing) return Verdict::Nothing;
  saw(epoch, nay.rank);
  answered_.add(from);
  if (nay.why == NayWhy::LeaderAlive) leader_is_alive_ = true;
  return decide(now, self);
}

std::uint64_t Election::on_stood(Monotonic now) {
  role_ = Role::Candidate;
  deadline_ = now + config_.timers.vote;
  candidacy_ = prng_();
  votes_.clear();
  refusals_.clear();
  stood_at_ = now;
  return candidacy_;
}

std::size_t Election::needed() const { return holds(Rule::Majority) ? config_.majority() : 1; }

Verdict Election::on_own_vote_written() {
  return role_ == Role::Candidate ? count(config_.self()) : Verdict::Nothing;
}

Verdict Election::on_vote(Monotonic now, Seat from, const Vote& vote) {
  if (role_ != Role::Candidate || (vote.candidacy != candidacy_ && holds(Rule::OwnCandidacy)))
    return Verdict::Nothing;
  if (vote.granted) return count(from);
  refusals_.add(from);
  if (refusals_.size() > config_.size() - config_.majority()) give_up(now);
  return Verdict::Nothing;
}

Verdict Election::count(Seat voter) {
  votes_.add(voter);
  // Not before the own vote is on disk: it is among the votes only then.
  if (!votes_.has(config_.self()) || votes_.size() < needed()) return Verdict::Nothing;
  end_vacancy();
  role_ = Role::Leader;
  return Verdict::Elected;
}

void Election::on_epoch_over() {
  if (role_ == Role::Holding) return;
  role_ = Role::Follower;
  deadline_ = Monotonic::max();
}

void Election::be_patient(Monotonic now, Duration patience) {
  role_ = Role::Follower;
  deadline_ = Monotonic::max();
  next_probe_ = now + patience;
}

void Election::end_vacancy() {
  role_ = Role::Follower;
  deadline_ = Monotonic::max();
  next_probe_ = Monotonic::min();
  suppressors_.clear();
  ignored_.clear();
  insist_ = false;
  modest_until_ = Monotonic::min();
}

}  // namespace cidbus::group
