#include "broker/journal/disk_executor.h"

#include <algorithm>
#include <iterator>
#include <type_traits>
#include <utility>

#include "shared/base/ensure.h"

namespace cidbus {

DiskExecutor::DiskExecutor(DataDirectory directory) : directory_(std::move(directory)), reader_(directory_) {}

void DiskExecutor::accept(DiskCommand command) {
  const auto sort_in = [this](auto&& one) {
    using Command = std::decay_t<decltype(one)>;
    if constexpr (std::is_same_v<Command, CutFrom>) forget_waiting(one.from);
    if constexpr (std::is_constructible_v<VoteCommand, Command>) {
      votes_.emplace_back(std::move(one));
    } else if constexpr (std::is_constructible_v<DiskReader::Request, Command>) {
      reader_.accept(one);
    } else if constexpr (std::is_constructible_v<ReceiveCommand, Command>) {
      receive_queue_.emplace_back(std::move(one));
    } else if constexpr (std::is_constructible_v<JournalCommand, Command>) {
      journal_queue_.emplace_back(std::move(one));
    } else {
      snapshot_queue_.emplace_back(std::move(one));
    }
  };
  std::visit(sort_in, std::move(command));
}

// A cut takes back what was not written yet: above all what waits for room.
void DiskExecutor::forget_waiting(LogIndex from) {
  auto begin = journal_queue_.end();  // of what was submitted after the cut before this one
  while (begin != journal_queue_.begin() && !std::holds_alternative<CutFrom>(*std::prev(begin))) --begin;
  const auto taken_back = [from](const JournalCommand& command) {
    const auto* write = std::get_if<WriteBatch>(&command);
    return write != nullptr && peek_batch_header(*write->batch.bytes)->first >= from;
  };
  journal_queue_.erase(std::remove_if(begin, journal_queue_.end(), taken_back), journal_queue_.end());
  const bool some_left =
      !journal_queue_.empty() && std::holds_alternative<WriteBatch>(journal_queue_.front());
  batches_wait_ = batches_wait_ && some_left;
}

bool DiskExecutor::has_work() const {
  if (failed_) return false;
  if (!votes_.empty() || directory_.room().room() != told_room_) return true;
  const auto looks_for_room = [](const JournalCommand& one) {
    return std::holds_alternative<CheckRoom>(one) || std::holds_alternative<DropBefore>(one);
  };
  const bool journal_waits = batches_wait_
                                 ? std::any_of(journal_queue_.begin(), journal_queue_.end(), looks_for_room)
                                 : !journal_queue_.empty();
  const bool snapshot_waits = stage_ == SnapshotStage::Verified
                                  ? snapshot_->info().last.last <= directory_.journal().end().last
                                  : stage_ == SnapshotStage::Verifying || !snapshot_queue_.empty();
  const bool receiver_waits = loading_ || !receive_queue_.empty();
  const bool house_waits = directory_.journal().wants_mark() || directory_.votes().wants_mirror() ||
                           drop_before_.value != 0 || (!spare_waits_ && directory_.journal().wants_spare());
  return journal_waits || reader_.has_work() || snapshot_waits || receiver_waits || house_waits;
}

void DiskExecutor::step(Completions& out) {
  const std::size_t before = out.size();
  if (!failed_) persist_votes(out);
  if (!failed_) serve_journal(out);
  if (!failed_ && reader_.has_work())
    if (Status status = reader_.step(out); !status) fail(status.error(), out);
  if (!failed_) serve_snapshot(out);
  if (!failed_) serve_receiver(out);
  // Nobody waits for the mark, and somebody for what this step has to tell: so the next one writes it.
  if (!failed_ && directory_.journal().wants_mark() && out.size() == before) mark_synced(out);
  if (!failed_) keep_house(out);
  if (failed_ || directory_.room().room() == told_room_) return;
  told_room_ = directory_.room().room();
  out.push_back(RoomChanged{told_room_, directory_.room().space()});
}

Status DiskExecutor::close() {
  if (failed_) return {};
  if (Status status = directory_.votes().mirror(); !status) return status;
  return directory_.journal().close();
}

DiskExecutor::Outcome DiskExecutor::judge(const Status& status, Completions& out) {
  if (status) return Outcome::Done;
  if (status.error().kind != FaultKind::TryAgain) {
    fail(status.error(), out);
    return Outcome::Dead;
  }
  const auto released = directory_.room().release();
  if (released) return *released ? Outcome::Again : Outcome::NoRoom;
  fail(released.error(), out);
  return Outcome::Dead;
}

void DiskExecutor::fail(const Fault& why, Completions& out) {
  failed_ = true;
  out.push_back(DiskFailed{why});
}

// ---- votes

void DiskExecutor::persist_votes(Completions& out) {
  while (!votes_.empty()) {
    const VoteCommand command = std::move(votes_.front());
    votes_.pop_front();
    VoteState state = directory_.votes().state();
    const auto* vote = std::get_if<PersistVote>(&command);
    if (vote != nullptr) {
      state.epoch = vote->epoch;
      state.voted = vote->voted;
    }
    if (vote == nullptr || vote->founds) state.repairing = state.is_new = false;
    if (Status status = directory_.votes().write(state); !status) return fail(status.error(), out);
    if (vote != nullptr) {
      out.emplace_back(VotePersisted{vote->epoch, vote->voted});
    } else {
      out.emplace_back(RepairedPersisted{});
    }
  }
}

// ---- the journal

void DiskExecutor::serve_journal(Completions& out) {
  if (journal_queue_.empty()) return;
  if (std::holds_alternative<WriteBatch>(journal_queue_.front()))
    return batches_wait_ ? look_for_room(out) : write_batches(out);
  const JournalCommand& front = journal_queue_.front();
  std::optional<LogIndex> cut_at;
  if (const auto* wanted = std::get_if<CutFrom>(&front)) cut_at = wanted->from;
  if (const auto* wanted = std::get_if<DropBefore>(&front))
    drop_before_ = std::max(drop_before_, wanted->index);
  const bool check = std::holds_alternative<CheckRoom>(front);
  BatchBytes refilled;
  if (const auto* wanted = std::get_if<RefillHole>(&front)) refilled = wanted->bytes;
  journal_queue_.pop_front();
  if (cut_at) cut(*cut_at, out);
  if (refilled) refill(refilled, out);
  if (check) check_room(out);
}

// Batches that wait for room must hold up neither the command that looks for it nor the one that frees some.
void DiskExecutor::look_for_room(Completions& out) {
  bool found = false;
  std::erase_if(journal_queue_, [this, &found](const JournalCommand& command) {
    if (const auto* wanted = std::get_if<DropBefore>(&command))
      drop_before_ = std::max(drop_before_, wanted->index);
    const bool taken =
        std::holds_alternative<CheckRoom>(command) || std::holds_alternative<DropBefore>(command);
    found = found || taken;
    return taken;
  });
  if (found) check_room(out);
}

void DiskExecutor::write_batches(Completions& out) {
  std::vector<NewBatch> group;
  ByteCount bytes = 0;
  for (const JournalCommand& command : journal_queue_) {
    const auto* write = std::get_if<WriteBatch>(&command);
    if (write == nullptr || group.size() == group_batches) break;
    bytes += write->batch.bytes->size();
    if (!group.empty() && bytes > group_bytes) break;
    group.push_back(write->batch);
  }
  if (!remember_office(group.back().office, out)) return;
  const LogIndex before = directory_.journal().end().last;
  const Status status = directory_.journal().append(group);
  // Where room ran out between two segments, a part of the group is on disk and stays.
  const ChainEnd end = directory_.journal().end();
  for (const NewBatch& batch : group) {
    if (peek_batch_header(*batch.bytes)->last() > end.last) break;
    journal_queue_.pop_front();
  }
  const Outcome outcome = judge(status, out);
  if (outcome == Outcome::Dead) return;
  batches_wait_ = outcome == Outcome::NoRoom;
  if (end.last > before) out.push_back(Persisted{end});
}

// What was acknowledged in an office is forgotten with the journal; that this broker was in that office must
// not be (CONSENSUS D3): a leader of an earlier one could tell it that it is whole.
bool DiskExecutor::remember_office(Epoch office, Completions& out) {
  VoteState state = directory_.votes().state();
  if (office <= state.epoch) return true;
  state.epoch = office;
  state.voted.clear();
  const Status status = directory_.votes().write(state);
  if (!status) fail(status.error(), out);
  return status.has_value();
}

void DiskExecutor::cut(LogIndex from, Completions& out) {
  if (from < directory_.journal().first()) {
    return fail({FaultKind::Failed, "a cut at record " + std::to_string(from.value) +
                                        " was asked for, which the journal no longer holds"},
                out);
  }
  reader_.forget_places();
  const Outcome outcome = judge(directory_.journal().cut_from(from), out);
  if (outcome == Outcome::Done) out.push_back(CutDone{directory_.journal().end()});
  if (outcome == Outcome::Again) journal_queue_.emplace_front(CutFrom{from});
  if (outcome == Outcome::NoRoom) fail({FaultKind::Failed, "no room to cut the journal; free some"}, out);
}

// The room of a hole was never given back, so it cannot be missing.
void DiskExecutor::refill(const BatchBytes& batch, Completions& out) {
  reader_.forget_places();
  if (Status status = directory_.journal().refill(batch); !status) return fail(status.error(), out);
  out.emplace_back(HoleRefilled{peek_batch_header(*batch)->end()});
}

// ---- snapshots

void DiskExecutor::serve_snapshot(Completions& out) {
  if (stage_ == SnapshotStage::Verified) return install_snapshot(out);
  if (stage_ == SnapshotStage::Verifying) {
    const auto verified = snapshot_->verify_some();
    const Status status = verified ? Status{} : Status(tl::unexpected(verified.error()));
    if (snapshot_settled(status, out) && *verified) stage_ = SnapshotStage::Verified;
    return;
  }
  if (snapshot_queue_.empty()) return;
  SnapshotCommand command = std::move(snapshot_queue_.front());
  snapshot_queue_.pop_front();
  std::visit([this, &out](auto& one) { run(one, out); }, command);
}

void DiskExecutor::run(SnapshotBegin& command, Completions& out) {
  ENSURE(!snapshot_, "a snapshot is being written already");
  auto begun = directory_.snapshots().begin(command.info);
  stage_ = SnapshotStage::Writing;
  if (begun) {
    snapshot_ = std::move(*begun);
  } else {
    (void)snapshot_settled(tl::unexpected(begun.error()), out);
  }
}

void DiskExecutor::run(SnapshotChunk& command, Completions& out) {
  if (stage_ == SnapshotStage::Failed) return;
  ENSURE(snapshot_, "a chunk of no snapshot");
  if (snapshot_settled(snapshot_->add(command.bytes), out))
    out.push_back(SnapshotChunkWritten{command.bytes.size()});
}

void DiskExecutor::run(SnapshotFinish&, Completions& out) {
  if (stage_ == SnapshotStage::Failed) return;
  ENSURE(snapshot_, "the end of no snapshot");
  if (snapshot_settled(snapshot_->finish(), out)) stage_ = SnapshotStage::Verifying;
}

void DiskExecutor::run(SnapshotAbandon&, Completions& out) {
  stage_ = SnapshotStage::None;
  if (!snapshot_) return;
  const Status status = snapshot_->abandon();
  snapshot_.reset();
  if (!status) fail(status.error(), out);
}

// A snapshot of records that are not on disk would promise more than the journal can keep.
void DiskExecutor::install_snapshot(Completions& out) {
  const LogIndex last = snapshot_->info().last.last;
  if (last > directory_.journal().end().last) return;
  const ByteCount bytes = snapshot_->bytes();
  const Status status = directory_.snapshots().install(*snapshot_);
  snapshot_.reset();
  stage_ = SnapshotStage::None;
  if (!status) return fail(status.error(), out);
  out.push_back(SnapshotDone{last, bytes, directory_.snapshots().droppable_before()});
  check_room(out);
}

// A snapshot that cannot be written is given up, and the room it took with it.
bool DiskExecutor::snapshot_settled(const Status& status, Completions& out) {
  if (status) return true;
  const FaultKind kind = status.error().kind;
  if (kind != FaultKind::TryAgain && kind != FaultKind::BadData) return fail(status.error(), out), false;
  give_up_snapshot(status.error(), out);
  if (!failed_ && kind == FaultKind::TryAgain) (void)judge(status, out);
  return false;
}

void DiskExecutor::give_up_snapshot(const Fault& why, Completions& out) {
  stage_ = SnapshotStage::Failed;
  const Status abandoned = snapshot_ ? snapshot_->abandon() : Status{};
  snapshot_.reset();
  if (!abandoned) return fail(abandoned.error(), out);
  out.push_back(SnapshotFailed{why});
}

// ---- house

void DiskExecutor::mark_synced(Completions& out) {
  if (Status status = directory_.journal().mark_synced(); !status) fail(status.error(), out);
}

void DiskExecutor::keep_house(Completions& out) {
  if (directory_.votes().wants_mirror()) {
    if (Status status = directory_.votes().mirror(); !status) fail(status.error(), out);
  } else if (drop_before_.value != 0) {
    drop_some(out);
  } else if (!spare_waits_ && directory_.journal().wants_spare()) {
    spare_waits_ = judge(directory_.journal().make_spare(), out) == Outcome::NoRoom;
  }
}

void DiskExecutor::drop_some(Completions& out) {
  const LogIndex before = std::min(drop_before_, directory_.snapshots().droppable_before());
  const auto more = directory_.journal().drop_one_before(before);
  if (!more) return fail(more.error(), out);
  if (*more) return;
  drop_before_ = {};
  out.push_back(Dropped{directory_.journal().first()});
  check_room(out);
}

// What waits for room may try again after it.
void DiskExecutor::check_room(Completions& out) {
  batches_wait_ = spare_waits_ = false;
  const auto room = directory_.room().check(directory_.snapshots().newest_bytes());
  if (!room) fail(room.error(), out);
}

}  // namespace cidbus
