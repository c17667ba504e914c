#include "broker/log_queue.h"

#include <algorithm>

namespace cidbus {

LogQueue::LogQueue(Epoch epoch, const ChainEnd& end, WallTime time, bool write_early)
    : builder_(epoch, end), time_(time), write_early_(write_early) {}

LogIndex LogQueue::append(Now now, std::uint8_t type, std::uint8_t version, ByteView payload,
                          Urgency urgency) {
  if (!builder_.has_room(payload.size())) seal();
  time_ = std::max(time_, now.wall);
  if (urgency == Urgency::Now) urgent_ = true;
  if (!lazy_since_) lazy_since_ = now.monotonic;
  return builder_.append(type, version, time_, payload);
}

void LogQueue::seal() {
  BatchBytes bytes = builder_.seal();
  unsynced_bytes_ += bytes->size();
  unsynced_.push_back({bytes, builder_.before()});
  unapplied_.push_back({std::move(bytes), builder_.before()});
  urgent_ = false;
  lazy_since_.reset();
}

bool LogQueue::due(Monotonic now) const {
  return !builder_.empty() && (urgent_ || now - *lazy_since_ >= limits::lazy_records);
}

std::vector<LogQueue::Sealed> LogQueue::take_writes(Now now) {
  const std::size_t most = limits::batches_at_disk;
  if (handed_ >= (write_early_ ? most : 1)) return {};
  if (due(now.monotonic)) seal();
  // With durability `memory` nobody waits for the disk: it is given much at once, not a little in every turn.
  const bool may_wait = write_early_ && unsynced_.size() - handed_ < most && now.monotonic < hand_over_at_;
  if (may_wait || handed_ == unsynced_.size()) return {};
  hand_over_at_ = now.monotonic + limits::lazy_records;
  if (!builder_.empty()) seal();  // what waits takes the open one along: one sync covers both
  const auto first = unsynced_.begin() + static_cast<std::ptrdiff_t>(handed_);
  handed_ = std::min(unsynced_.size(), most);
  return {first, unsynced_.begin() + static_cast<std::ptrdiff_t>(handed_)};
}

void LogQueue::on_persisted(LogIndex last) {
  while (!unsynced_.empty() && unsynced_.front().end.last <= last) {
    ENSURE(handed_ > 0, "persisted but never handed over", last.value);
    unsynced_bytes_ -= unsynced_.front().bytes->size();
    unsynced_.pop_front();
    --handed_;
  }
}

std::vector<LogQueue::Sealed> LogQueue::take_committed(LogIndex commit, std::size_t records) {
  std::vector<Sealed> committed;
  std::size_t taken = 0;
  while (taken < records && has_committed(commit)) {
    const auto header = peek_batch_header(*unapplied_.front().bytes);
    taken += header->count + unapplied_.front().bytes->size() / 1024;
    committed.push_back(std::move(unapplied_.front()));
    unapplied_.pop_front();
  }
  return committed;
}

std::optional<Monotonic> LogQueue::deadline() const {
  if (handed_ >= (write_early_ ? limits::batches_at_disk : 1)) return std::nullopt;
  if (write_early_ && handed_ < unsynced_.size()) return hand_over_at_;
  if (builder_.empty()) return std::nullopt;
  return urgent_ ? *lazy_since_ : *lazy_since_ + limits::lazy_records;
}

}  // namespace cidbus
