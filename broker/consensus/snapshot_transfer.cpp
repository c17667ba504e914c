#include "broker/consensus/snapshot_transfer.h"

#include <algorithm>

#include "shared/base/limits/group.h"

namespace cidbus::group {

// ---- sending

void SnapshotSender::tick(Monotonic now, const Replication& replication, Epoch epoch, Effects& out) {
  for (std::size_t at = 0; at < config_.size(); ++at) {
    const Seat peer = static_cast<Seat>(at);
    if (peer == config_.self()) continue;
    Transfer& transfer = transfers_[at];
    if (replication.follower(peer).mode != Replication::Mode::Snapshot && wishes_[at] == LogIndex{}) {
      transfer = {};
      continue;
    }
    const bool silent = now - transfer.since >= config_.timers.suspicion;
    if (transfer.stage == Stage::None && now - transfer.since >= config_.timers.heartbeat) {
      transfer = {Stage::Finding, {}, 0, now};
      out.add(ReadSnapshot{peer, {}, 0, 0});
    } else if (silent && transfer.stage == Stage::Offered) {
      transfer.since = now;
      out.send(peer, epoch, transfer.what);
    }
  }
}

Monotonic SnapshotSender::deadline() const {
  Monotonic at = Monotonic::max();
  for (const Transfer& transfer : transfers_)
    if (transfer.stage == Stage::Offered) at = std::min(at, transfer.since + config_.timers.suspicion);
  return at;
}

void SnapshotSender::read_piece(Monotonic now, Seat peer, Effects& out) {
  Transfer& transfer = transfers_[place(peer)];
  transfer.stage = Stage::Reading;
  transfer.since = now;
  out.add(ReadSnapshot{peer, transfer.what.last.index, transfer.next, config_.snapshot_piece});
}

void SnapshotSender::on_read(Monotonic now, const LogWindow& log, const SnapshotRead& read, Epoch epoch,
                             Effects& out) {
  Transfer& transfer = transfers_[place(read.peer)];
  const bool there = read.size > 0 && read.last >= log.base().index && read.last <= log.last().index;
  if (transfer.stage == Stage::Finding) {
    // Without one it is asked for again at the next heartbeat: one may be taken meanwhile.
    const LogIndex wish = wishes_[place(read.peer)];
    const bool fits = there && read.last >= wish;
    transfer.stage = fits ? Stage::Offered : Stage::None;
    transfer.since = now;
    if (!fits && wish != LogIndex{}) out.add(TakeSnapshot{wish});
    if (!fits) return;
    transfer.what = {{log.epoch_at(read.last), read.last}, read.size, read.hash};
    out.send(read.peer, epoch, transfer.what);
  } else if (transfer.stage == Stage::Reading && read.offset == transfer.next) {
    // A newer one took its place: that one, then, from its beginning.
    const bool same = there && read.last == transfer.what.last.index && read.bytes != nullptr;
    transfer.stage = same ? Stage::Offered : Stage::None;
    transfer.since = now;
    if (same) out.send(read.peer, epoch, SnapChunk{transfer.what.last, read.offset, read.bytes});
  }
}

bool SnapshotSender::on_ack(Monotonic now, Seat from, const SnapAck& ack, Effects& out) {
  Transfer& transfer = transfers_[place(from)];
  if (transfer.stage == Stage::None || transfer.stage == Stage::Finding || ack.last != transfer.what.last)
    return false;
  if (ack.installed || ack.refused) {
    transfer = {};
    wishes_[place(from)] = {};  // if it wants one still, then one that holds what is committed now
    return ack.installed;
  }
  if (transfer.stage == Stage::Reading || ack.next >= transfer.what.size) return false;
  transfer.next = ack.next;
  read_piece(now, from, out);
  return false;
}

// ---- receiving

void SnapshotReceiver::ack(Epoch epoch, Effects& out) const {
  out.send(from_, epoch, SnapAck{what_.last, next_, false, false});
}

void SnapshotReceiver::on_begin(Seat from, Epoch epoch, const SnapBegin& begin, bool held, Effects& out) {
  if (installing()) return;
  if (held) {
    if (stage_ != Stage::None) out.add(ReceiveAbandon{});
    stage_ = Stage::None;
    return out.send(from, epoch, SnapAck{begin.last, 0, true, false});
  }
  from_ = from;
  const bool same = stage_ != Stage::None && what_.last == begin.last && what_.hash == begin.hash;
  if (!same) {
    what_ = begin;
    next_ = 0;
    stage_ = Stage::Receiving;
    out.add(ReceiveBegin{begin.last.index, begin.size, begin.hash});
  }
  if (stage_ == Stage::Receiving) ack(epoch, out);
}

void SnapshotReceiver::on_chunk(Seat from, Epoch epoch, const SnapChunk& chunk, Effects& out) {
  if (stage_ != Stage::Receiving || chunk.last != what_.last) return;
  from_ = from;
  if (chunk.offset != next_) return ack(epoch, out);
  stage_ = Stage::Writing;
  out.add(ReceivePiece{chunk.offset, chunk.bytes});
}

void SnapshotReceiver::on_piece_written(Epoch epoch, ByteCount next, Effects& out) {
  // Of one that was given up since: this one begins at 0.
  if (stage_ != Stage::Writing || next <= next_) return;
  next_ = next;
  stage_ = next_ == what_.size ? Stage::Waiting : Stage::Receiving;
  if (stage_ == Stage::Receiving) ack(epoch, out);
}

void SnapshotReceiver::on_journal_idle(bool replaces, Effects& out) {
  if (stage_ != Stage::Waiting) return;
  stage_ = Stage::Installing;
  out.add(ReceiveFinish{replaces});
}

void SnapshotReceiver::on_installed(Epoch epoch, Effects& out) {
  stage_ = Stage::None;
  out.send(from_, epoch, SnapAck{what_.last, what_.size, true, false});
}

void SnapshotReceiver::on_failed(Epoch epoch, Effects& out) {
  if (stage_ == Stage::None) return;
  stage_ = Stage::None;
  out.send(from_, epoch, SnapAck{what_.last, 0, false, true});
}

}  // namespace cidbus::group
