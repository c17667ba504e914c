#include "broker/consensus/replication.h"

#include <algorithm>

#include "broker/consensus/rules.h"
#include "shared/base/ensure.h"

namespace cidbus::group {

void Replication::begin(Monotonic now, const LogWindow& log, Epoch epoch, SeatSet voters,
                        Monotonic asked_at) {
  epoch_ = epoch;
  for (std::size_t at = 0; at < config_.size(); ++at) {
    followers_[at] = Follower{};
    followers_[at].after = log.last();
    followers_[at].heard_at = now;
    // A voter answered what was asked then; of the others nothing is known.
    followers_[at].acked_at = voters.has(static_cast<Seat>(at)) ? asked_at : Monotonic::min();
  }
}

// ---- what is sent

void Replication::pump(Monotonic now, const LogWindow& log, Effects& out) {
  for (std::size_t at = 0; at < config_.size(); ++at)
    if (static_cast<Seat>(at) != config_.self()) pump_one(now, log, static_cast<Seat>(at), out);
}

void Replication::pump_one(Monotonic now, const LogWindow& log, Seat peer, Effects& out) {
  Follower& follower = followers_[place(peer)];
  while (follower.mode == Mode::Streaming && follower.after.index < log.last().index &&
         follower.in_flight.size() < config_.window_batches &&
         follower.bytes_in_flight < limits::window_bytes_in_flight) {
    const std::size_t most =
        std::min(config_.append_batches, config_.window_batches - follower.in_flight.size());
    std::vector<SharedBatch> batches;
    if (follower.after.index < log.base().index) {
      follower.mode = Mode::Snapshot;
    } else if (!log.collect(follower.after.index, most, limits::append_bytes, batches)) {
      follower.mode = Mode::Reading;
      out.add(ReadBatches{ReadFor::Following, peer, next(follower.after.index), limits::append_bytes});
    } else {
      send_batches(now, log, peer, std::move(batches), out);
    }
  }
}

void Replication::send_batches(Monotonic now, const LogWindow& log, Seat peer,
                               std::vector<SharedBatch> batches, Effects& out) {
  Follower& follower = followers_[place(peer)];
  if (follower.in_flight.empty()) follower.heard_at = now;
  Append append{follower.after, commit_, std::move(batches)};
  for (const SharedBatch& batch : append.batches) {
    const auto header = peek_batch_header(*batch);
    ENSURE(header && header->first == next(follower.after.index) && log.has(position_of(header->end())),
           "batch", follower.after.index.value);
    follower.after = position_of(header->end());
    follower.in_flight.push_back({header->last(), batch->size()});
    follower.bytes_in_flight += batch->size();
  }
  out.send(peer, epoch_, std::move(append));
}

void Replication::ask(Monotonic now, Seat peer, const LogPosition& after, Effects& out) {
  Follower& follower = followers_[place(peer)];
  follower.mode = Mode::Asking;
  follower.after = after;
  follower.heard_at = now;
  out.send(peer, epoch_, Append{after, commit_, {}});
}

void Replication::go_on_behind(Monotonic now, const LogWindow& log, Seat peer, const LogPosition& held,
                               Effects& out) {
  if (held.index < log.base().index) {
    followers_[place(peer)].mode = Mode::Snapshot;
    return;
  }
  ask(now, peer, log.has(held) ? held : log.highest_at_or_below(held), out);
}

// ---- what is heard

void Replication::settle(Follower& follower) const {
  const LogIndex counted = counts_received() ? std::max(follower.match, follower.durable) : follower.durable;
  const LogIndex held = std::max(counted, follower.stored);
  while (!follower.in_flight.empty() && follower.in_flight.front().last <= held) {
    follower.bytes_in_flight -= follower.in_flight.front().bytes;
    follower.in_flight.pop_front();
  }
}

// What was sent behind `after` did not arrive.
void Replication::drop_lost(Follower& follower) {
  while (!follower.in_flight.empty() && follower.in_flight.back().last > follower.after.index) {
    follower.bytes_in_flight -= follower.in_flight.back().bytes;
    follower.in_flight.pop_back();
  }
}

void Replication::on_ack(Monotonic now, const LogWindow& log, Seat from, const AppendAck& ack, Effects& out) {
  Follower& follower = followers_[place(from)];
  if (ack.match > log.last().index || ack.durable > ack.match) {
    out.notice(NoticeKind::Contradicted, from, epoch_, ack.match.value);
    return;
  }
  follower.heard_at = now;
  follower.disk_full = ack.disk_full;
  if (ack.ok) {
    if (ack.provisional || follower.lost_at) {
      follower.stored = ack.durable;
    } else {
      follower.match = ack.match;
      follower.durable = std::max(follower.durable, ack.durable);
    }
    settle(follower);
    if (follower.mode == Mode::Asking && ack.prev == follower.after.index) {
      const bool in_journal = ack.match >= log.base().index;
      follower.mode = in_journal ? Mode::Streaming : Mode::Snapshot;
      if (in_journal) follower.after = {log.epoch_at(ack.match), ack.match};
      drop_lost(follower);
    }
    pump_one(now, log, from, out);
    return;
  }
  // An answer to an earlier question tells nothing new: what is asked now is answered soon.
  const bool current =
      follower.mode == Mode::Asking
          ? ack.prev == follower.after.index
          : follower.mode == Mode::Streaming && (ack.provisional || ack.hint.index >= follower.durable);
  if (current) go_on_behind(now, log, from, ack.hint, out);
}

void Replication::on_beat_ack(Monotonic now, const LogWindow& log, Seat from, const BeatAck& ack,
                              Effects& out) {
  Follower& follower = followers_[place(from)];
  if (ack.durable > log.last().index) return;
  const Monotonic asked_at{Duration(ack.sent)};
  if (follower.lost_at && asked_at > *follower.lost_at && ack.durable != LogIndex{}) follower.lost_at.reset();
  if (!follower.lost_at) follower.durable = std::max(follower.durable, ack.durable);
  follower.acked_at = std::max(follower.acked_at, asked_at);
  follower.read_round = std::max(follower.read_round, ack.read_round);
  follower.priority = ack.priority;
  settle(follower);
  pump_one(now, log, from, out);  // it may say what a lost acknowledgement should have said
}

void Replication::on_read(Monotonic now, const LogWindow& log, Seat peer, LogIndex from,
                          const std::vector<SharedBatch>& batches, bool gone, Effects& out) {
  Follower& follower = followers_[place(peer)];
  if (follower.mode != Mode::Reading || from != next(follower.after.index)) return;
  follower.mode = gone ? Mode::Snapshot : Mode::Streaming;
  if (!batches.empty()) send_batches(now, log, peer, batches, out);
  pump_one(now, log, peer, out);
}

void Replication::on_lost(Monotonic now, Seat from) {
  if (!holds(Rule::LostNotCounted)) return;
  Follower& follower = followers_[place(from)];
  follower.match = follower.durable = follower.stored = {};
  follower.lost_at = now;
}

void Replication::on_connected(Monotonic now, Seat peer, Effects& out) {
  const Follower& follower = followers_[place(peer)];
  if (follower.mode == Mode::Streaming || follower.mode == Mode::Asking) ask(now, peer, follower.after, out);
}

void Replication::on_snapshot_installed(Monotonic now, const LogWindow& log, Seat peer,
                                        const LogPosition& last, Effects& out) {
  if (followers_[place(peer)].mode == Mode::Snapshot) go_on_behind(now, log, peer, last, out);
}

void Replication::tick(Monotonic now, Effects& out) {
  for (std::size_t at = 0; at < config_.size(); ++at) {
    Follower& follower = followers_[at];
    const bool waits =
        follower.mode == Mode::Asking || (follower.mode == Mode::Streaming && !follower.in_flight.empty());
    if (!waits || now - follower.heard_at < config_.timers.suspicion) continue;
    ask(now, static_cast<Seat>(at), follower.after, out);
  }
}

Monotonic Replication::deadline() const {
  Monotonic at = Monotonic::max();
  for (std::size_t place = 0; place < config_.size(); ++place) {
    const Follower& follower = followers_[place];
    if (follower.mode == Mode::Asking || (follower.mode == Mode::Streaming && !follower.in_flight.empty()))
      at = std::min(at, follower.heard_at + config_.timers.suspicion);
  }
  return at;
}

// ---- what follows

template <typename Value>
Value Replication::majority_of(const std::array<Value, limits::brokers>& values) const {
  Value agreed = values[0];
  for (std::size_t at = 1; at < config_.size(); ++at) agreed = std::min(agreed, values[at]);
  for (std::size_t candidate = 0; candidate < config_.size(); ++candidate) {
    std::size_t reach = 0;
    for (std::size_t at = 0; at < config_.size(); ++at) reach += values[at] >= values[candidate] ? 1 : 0;
    if (reach >= config_.majority()) agreed = std::max(agreed, values[candidate]);
  }
  return agreed;
}

LogIndex Replication::committed(const LogWindow& log) const {
  std::array<LogIndex, limits::brokers> held{};
  for (std::size_t at = 0; at < config_.size(); ++at) {
    const Follower& follower = followers_[at];
    held[at] = counts_received() ? std::max(follower.match, follower.durable) : follower.durable;
  }
  const bool own_received = counts_received() || !holds(Rule::OwnCopySynced);
  held[place(config_.self())] = own_received ? log.last().index : log.durable();
  const LogIndex agreed = majority_of(held);
  if (agreed < log.base().index) return {};
  if (log.epoch_at(agreed) != epoch_ && holds(Rule::CommitOwnEpoch)) return {};
  return agreed;
}

Monotonic Replication::standing_until() const {
  std::array<Monotonic, limits::brokers> answered{};
  for (std::size_t at = 0; at < config_.size(); ++at) answered[at] = followers_[at].acked_at;
  answered[place(config_.self())] = Monotonic::max();
  const Monotonic agreed = majority_of(answered);
  if (agreed == Monotonic::max() || agreed == Monotonic::min()) return agreed;
  return agreed + config_.timers.check_quorum;
}

std::uint64_t Replication::confirmed_round(std::uint64_t own) const {
  std::array<std::uint64_t, limits::brokers> rounds{};
  for (std::size_t at = 0; at < config_.size(); ++at) rounds[at] = followers_[at].read_round;
  rounds[place(config_.self())] = own;
  return majority_of(rounds);
}

}  // namespace cidbus::group
