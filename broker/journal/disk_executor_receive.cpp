// A snapshot of another broker, from its first piece to the place of this broker's own state.
#include <utility>

#include "broker/journal/disk_executor.h"
#include "shared/base/ensure.h"

namespace cidbus {

void DiskExecutor::serve_receiver(Completions& out) {
  if (loading_) {
    const auto loaded = receiver_->load_some(loading_->hash_seed);
    if (!loaded) return forget_received(loaded.error(), out);
    if (*loaded) install_received(out);
    return;
  }
  if (receive_queue_.empty()) return;
  ReceiveCommand command = std::move(receive_queue_.front());
  receive_queue_.pop_front();
  std::visit([this, &out](auto& one) { run(one, out); }, command);
}

void DiskExecutor::run(ReceiveBegin& command, Completions& out) {
  receiver_.reset();
  auto begun = directory_.snapshots().receive(command.file);
  if (!begun) return forget_received(begun.error(), out);
  receiver_ = std::move(*begun);
  out.emplace_back(PieceReceived{0});
}

void DiskExecutor::run(ReceivePiece& command, Completions& out) {
  if (!receiver_) return;  // it failed, which was told
  const auto next = receiver_->add(command.offset, command.bytes);
  if (!next) return forget_received(next.error(), out);
  out.emplace_back(PieceReceived{*next});
}

void DiskExecutor::run(ReceiveFinish& command, Completions& out) {
  if (!receiver_) return;
  if (Status status = receiver_->verify(); !status) return forget_received(status.error(), out);
  loading_ = command;
}

void DiskExecutor::run(ReceiveAbandon&, Completions& out) {
  if (!receiver_) return;
  const Status removed = receiver_->abandon();
  receiver_.reset();
  if (!removed) fail(removed.error(), out);
}

// Its name comes last: until then it is thrown away at a start, but for the one that the journal begins
// behind. Snapshots of a state that was wrong are set aside, those that it does not follow before it, the
// others when it is there: at any moment there is one for the journal to begin behind.
void DiskExecutor::install_received(Completions& out) {
  ENSURE(journal_queue_.empty() || !std::holds_alternative<WriteBatch>(journal_queue_.front()),
         "batches were submitted while a snapshot was installed");
  const bool replaces = std::exchange(loading_, std::nullopt)->replaces;
  const SnapshotInfo info = receiver_->info();
  SnapshotStore& snapshots = directory_.snapshots();
  if (replaces)
    if (Status status = snapshots.quarantine(info.last.last, LogIndex{~0ULL}); !status)
      return fail(status.error(), out);
  const auto& kept = snapshots.kept();
  if (!kept.empty() && kept.front().info.last.last >= info.last.last)
    return forget_received({FaultKind::BadData, "the received snapshot is older than the broker's own"}, out);
  if (snapshot_) give_up_snapshot({FaultKind::Failed, "another broker's snapshot took its place"}, out);
  if (failed_) return;
  reader_.forget_places();
  const auto held = directory_.journal().end_at(info.last.last);
  if (!held) return fail(held.error(), out);
  if (*held != info.last)
    if (Status status = directory_.journal().begin_anew(info.last); !status) return fail(status.error(), out);
  if (Status status = snapshots.install_received(info, receiver_->file().bytes); !status)
    return fail(status.error(), out);
  if (replaces)
    if (Status status = snapshots.quarantine({}, {info.last.last.value - 1}); !status)
      return fail(status.error(), out);
  out.emplace_back(SnapshotInstalled{info, directory_.journal().end(), receiver_->take_state()});
  receiver_.reset();
}

void DiskExecutor::forget_received(const Fault& why, Completions& out) {
  loading_.reset();
  const bool disk_failed = why.kind != FaultKind::TryAgain && why.kind != FaultKind::BadData;
  const Status removed = receiver_ ? receiver_->abandon() : Status{};
  receiver_.reset();
  if (disk_failed) return fail(why, out);
  if (!removed) return fail(removed.error(), out);
  out.emplace_back(ReceiveFailed{why});
}

}  // namespace cidbus
