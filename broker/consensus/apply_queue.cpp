#include "broker/consensus/apply_queue.h"

#include "shared/base/ensure.h"
#include "shared/base/limits/group.h"

namespace cidbus::group {

std::vector<SharedBatch> ApplyQueue::take(const LogWindow& log, LogIndex commit, std::size_t records,
                                          Effects& out) {
  std::vector<SharedBatch> taken;
  std::size_t count = 0;
  while (count < records && has(commit)) {
    if (ready_.empty()) {
      std::vector<SharedBatch> cached;
      if (!log.collect(given_, limits::append_batches, limits::append_bytes, cached)) {
        out.add(ReadBatches{ReadFor::Applying, nobody, next(given_), limits::append_bytes});
        reading_ = true;
        break;
      }
      keep(commit, cached);
      if (ready_.empty()) break;
    }
    const auto header = peek_batch_header(*ready_.front());
    ENSURE(header && header->first == next(given_), "applied", given_.value);
    count += header->count;
    given_ = header->last();
    taken.push_back(std::move(ready_.front()));
    ready_.pop_front();
  }
  return taken;
}

void ApplyQueue::keep(LogIndex commit, const std::vector<SharedBatch>& batches) {
  for (const SharedBatch& batch : batches)
    if (peek_batch_header(*batch)->last() <= commit) ready_.push_back(batch);
}

void ApplyQueue::on_read(LogIndex from, LogIndex commit, const std::vector<SharedBatch>& batches) {
  if (!reading_ || from != next(given_)) return;
  reading_ = false;
  keep(commit, batches);
}

void ApplyQueue::begin_anew(LogIndex applied) {
  given_ = applied;
  ready_.clear();
  reading_ = false;
}

}  // namespace cidbus::group
