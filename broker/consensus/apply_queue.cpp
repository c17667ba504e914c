#include "broker/consensus/apply_queue.h"

#include "shared/base/ensure.h"
#include "shared/base/limits/group.h"

namespace cidbus::group {

std::vector<SharedBatch> ApplyQueue::take(const LogWindow& log, LogIndex commit, std::size_t records,
                                          Effects& out) {
  std::vector<SharedBatch> taken;
  std::size_t count = 0;
  while (count < records && has(commit)) {
    if (ready_.empty() && !fill(log, commit, out)) break;
    const auto header = peek_batch_header(*ready_.front());
    ENSURE(header && header->first == next(given_), "applied", given_.value);
    count += header->count;
    given_ = header->last();
    taken.push_back(std::move(ready_.front()));
    ready_.pop_front();
  }
  read_ahead(log, commit, out);
  return taken;
}

bool ApplyQueue::fill(const LogWindow& log, LogIndex commit, Effects& out) {
  std::vector<SharedBatch> cached;
  if (!log.collect(given_, limits::append_batches, limits::append_bytes, cached)) {
    read(given_, out);
    return false;
  }
  keep(commit, cached);
  return !ready_.empty();
}

void ApplyQueue::read_ahead(const LogWindow& log, LogIndex commit, Effects& out) {
  if (reading_after_ || ready_.empty() || given_ < piece_after_) return;
  const LogIndex last = peek_batch_header(*ready_.back())->last();
  if (last < commit && !log.caches(last)) read(last, out);
}

void ApplyQueue::read(LogIndex after, Effects& out) {
  out.add(ReadBatches{ReadFor::Applying, nobody, next(after), limits::append_bytes, limits::apply_batches});
  reading_after_ = after;
}

void ApplyQueue::keep(LogIndex commit, const std::vector<SharedBatch>& batches) {
  for (const SharedBatch& batch : batches)
    if (peek_batch_header(*batch)->last() <= commit) ready_.push_back(batch);
}

void ApplyQueue::on_read(LogIndex from, LogIndex commit, const std::vector<SharedBatch>& batches) {
  if (!reading_after_ || from != next(*reading_after_)) return;
  piece_after_ = *reading_after_;
  reading_after_.reset();
  keep(commit, batches);
}

void ApplyQueue::begin_anew(LogIndex applied) {
  given_ = applied;
  piece_after_ = {};
  ready_.clear();
  reading_after_.reset();
}

}  // namespace cidbus::group
