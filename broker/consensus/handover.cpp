#include "broker/consensus/handover.h"

#include <algorithm>

#include "shared/base/ensure.h"

namespace cidbus::group {

namespace {

constexpr Duration longest_wait = std::chrono::seconds(600);
constexpr std::uint32_t doublings_most = 6;  // 10 s to 640 s

}  // namespace

void Handover::on_office(Monotonic now) {
  stage_ = Stage::None;
  in_office_since_ = now;
  for (Watched& watched : watched_) watched = {now, 0};
}

void Handover::begin(Monotonic now, Seat successor, Epoch epoch, Effects& out) {
  ENSURE(stage_ == Stage::None && successor != nobody && successor != config_.self(), "successor",
         place(successor));
  stage_ = Stage::Filling;
  successor_ = successor;
  token_ = prng_() | 1;
  deadline_ = now + config_.timers.suspicion;
  out.notice(NoticeKind::HandingOver, successor, epoch);
}

bool Handover::in_touch(Monotonic now, const Replication::Follower& follower) const {
  return follower.answers(now, config_.timers) && follower.priority >= 0 && !follower.disk_full;
}

// H1: fit, no beat missed, and at most a batch behind, all the time.
void Handover::watch(Monotonic now, const LogWindow& log, const Replication& replication) {
  for (std::size_t at = 0; at < config_.size(); ++at) {
    if (static_cast<Seat>(at) == config_.self()) continue;
    const Replication::Follower& follower = replication.follower(static_cast<Seat>(at));
    // Who is not sent the newest batches lacks more than one, as far as is known.
    const bool behind = follower.mode != Replication::Mode::Streaming ||
                        (follower.in_flight.size() > 1 && follower.durable < log.durable());
    if (!in_touch(now, follower) || behind) watched_[at].steady_since = now;
  }
}

void Handover::tick(Monotonic now, const LogWindow& log, LogIndex commit, const Replication& replication,
                    Epoch epoch, Effects& out) {
  watch(now, log, replication);
  if (stage_ == Stage::None) return;
  if (now >= deadline_) return give_up(epoch, out);
  const Replication::Follower& follower = replication.follower(successor_);
  if (stage_ == Stage::Filling && follower.mode == Replication::Mode::Streaming &&
      follower.in_flight.size() <= 2) {
    stage_ = Stage::Sealing;
    out.add(SealOffice{successor_});
  } else if (stage_ == Stage::Sealed && follower.durable == log.last().index && commit == log.last().index) {
    stage_ = Stage::Offered;
    out.send(successor_, epoch, HandoverMessage{log.last(), token_});
  }
}

Seat Handover::preferred(Monotonic now, const Replication& replication, const OfficeHistory& history,
                         std::int32_t own_priority) const {
  if (stage_ != Stage::None) return nobody;
  if (own_priority < 0) {
    const Seat best = best_successor(now, replication);
    const bool asked_lately =
        best != nobody && now - watched_[place(best)].steady_since < config_.timers.suspicion;
    return asked_lately ? nobody : best;
  }
  if (!config_.preempt || now - in_office_since_ < config_.timers.tenure) return nobody;
  for (std::size_t at = 0; at < config_.size(); ++at) {
    const Seat seat = static_cast<Seat>(at);
    if (seat == config_.self() || config_.at(seat).priority <= own_priority) continue;
    const std::uint32_t doublings = std::min(history.flaps(seat) + watched_[at].failures, doublings_most);
    const Duration steady = std::min<Duration>(config_.timers.steady * (1LL << doublings), longest_wait);
    if (now - watched_[at].steady_since >= steady) return seat;
  }
  return nobody;
}

void Handover::on_refused(Seat from, std::uint64_t token, Epoch epoch, Effects& out) {
  if (offers(from, token)) give_up(epoch, out);
}

// H3.
void Handover::give_up(Epoch epoch, Effects& out) {
  ++watched_[place(successor_)].failures;
  watched_[place(successor_)].steady_since = deadline_;
  if (stage_ != Stage::Filling) out.add(UnsealOffice{});
  stage_ = Stage::None;
  out.notice(NoticeKind::NotTakenOver, successor_, epoch);
}

Seat Handover::best_successor(Monotonic now, const Replication& replication) const {
  Seat best = nobody;
  const auto better = [&](Seat left, Seat right) {
    const auto key = [&](Seat seat) {
      return std::tuple(replication.follower(seat).durable, config_.at(seat).priority, seat);
    };
    return key(left) > key(right);
  };
  for (std::size_t at = 0; at < config_.size(); ++at) {
    const Seat seat = static_cast<Seat>(at);
    if (seat == config_.self() || !in_touch(now, replication.follower(seat))) continue;
    if (best == nobody || better(seat, best)) best = seat;
  }
  return best;
}

}  // namespace cidbus::group
