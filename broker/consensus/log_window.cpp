#include "broker/consensus/log_window.h"

#include <algorithm>

#include "shared/base/ensure.h"
#include "shared/base/limits/group.h"

namespace cidbus::group {

LogWindow::LogWindow(const ChainEnd& base)
    : offices_{{base.epoch, base.last}}, end_(base), durable_(base.last), entries_after_(base) {}

std::size_t LogWindow::office_of(LogIndex index) const {
  const auto found = std::lower_bound(offices_.begin(), offices_.end(), index,
                                      [](const Office& office, LogIndex at) { return office.last < at; });
  return static_cast<std::size_t>(found - offices_.begin());
}

std::size_t LogWindow::entry_behind(LogIndex index) const {
  const auto found = std::upper_bound(entries_.begin(), entries_.end(), index,
                                      [](LogIndex at, const Entry& entry) { return at < entry.end.last; });
  return static_cast<std::size_t>(found - entries_.begin());
}

LogPosition LogWindow::whole() const {
  for (const BatchIdentity& hole : holes_) {
    if (hole.last.index <= in_state_) continue;
    const LogIndex before{hole.first.value - 1};
    return {epoch_at(before), before};
  }
  return last();
}

bool LogWindow::ends_with_damage() const {
  const LogPosition held = whole();
  if (held == last() || !remembers(held)) return false;
  const auto first = std::find_if(holes_.begin(), holes_.end(),
                                  [&held](const BatchIdentity& hole) { return hole.first > held.index; });
  return static_cast<std::size_t>(holes_.end() - first) == entries_.size() - entry_behind(held.index);
}

bool LogWindow::has(const LogPosition& position) const {
  if (position.index < base().index || position.index > end_.last) return false;
  return offices_[office_of(position.index)].epoch == position.epoch;
}

Epoch LogWindow::epoch_at(LogIndex index) const {
  ENSURE(index >= base().index && index <= end_.last, "index", index.value, "last", end_.last.value);
  return offices_[office_of(index)].epoch;
}

LogPosition LogWindow::highest_at_or_below(const LogPosition& asked) const {
  for (std::size_t at = offices_.size(); at-- > 1;) {
    const Office& office = offices_[at];
    if (office.epoch > asked.epoch || offices_[at - 1].last >= asked.index) continue;
    if (office.last <= asked.index) return {office.epoch, office.last};
    const std::size_t behind = entry_behind(asked.index);
    if (behind > 0 && entries_[behind - 1].end.epoch == office.epoch)
      return position_of(entries_[behind - 1].end);
  }
  return base();
}

bool LogWindow::caches(LogIndex after) const {
  return after >= end_.last || (after >= entries_after_.last && entry_behind(after) >= uncached_);
}

bool LogWindow::collect(LogIndex after, std::size_t batches, std::size_t bytes,
                        std::vector<SharedBatch>& out) const {
  if (!caches(after)) return false;
  if (after >= end_.last) return true;
  const std::size_t first = entry_behind(after);
  std::size_t taken = 0;
  for (std::size_t at = first; at < entries_.size() && at - first < batches; ++at) {
    const SharedBatch& batch = entries_[at].batch;
    if (at > first && taken + batch->size() > bytes) break;
    taken += batch->size();
    out.push_back(batch);
  }
  return true;
}

void LogWindow::push(Entry entry) {
  end_ = entry.end;
  if (offices_.back().epoch == end_.epoch && offices_.size() > 1) {
    offices_.back().last = end_.last;
  } else {
    offices_.push_back({end_.epoch, end_.last});
  }
  if (entry.batch != nullptr) cached_bytes_ += entry.batch->size();
  entries_.push_back(std::move(entry));
  forget_old();
}

void LogWindow::recovered(const ChainEnd& end) {
  ENSURE(end.last > end_.last && end.epoch >= end_.epoch, "index", end.last.value, "behind", end_.last.value);
  ENSURE(durable_ == end_.last, "recovered behind what is not on disk", end.last.value);
  durable_ = end.last;
  ++uncached_;
  push({end, nullptr});
}

void LogWindow::recovered_hole(const BatchIdentity& identity) {
  ENSURE(identity.first == next(end_.last), "hole", identity.first.value, "behind", end_.last.value);
  holes_.push_back(identity);
  recovered({identity.last.index, identity.last.epoch, identity.crc});
}

void LogWindow::on_refilled(const ChainEnd& end) {
  std::erase_if(holes_, [&end](const BatchIdentity& hole) {
    return hole.last == position_of(end) && hole.crc == end.crc;
  });
}

void LogWindow::append(const SharedBatch& batch) {
  const auto header = peek_batch_header(*batch);
  ENSURE(header && header->follows(end_), "batch does not follow", end_.last.value, "epoch",
         end_.epoch.value);
  push({header->end(), batch});
}

void LogWindow::cut_after(const LogPosition& position, std::uint32_t crc) {
  ENSURE(has(position), "cut behind", position.index.value, "epoch", position.epoch.value);
  while (!entries_.empty() && entries_.back().end.last > position.index) {
    if (entries_.back().batch != nullptr) cached_bytes_ -= entries_.back().batch->size();
    entries_.pop_back();
  }
  uncached_ = std::min(uncached_, entries_.size());
  while (offices_.back().last > position.index) {
    if (offices_.size() == 1 || offices_[offices_.size() - 2].last < position.index) {
      offices_.back().last = position.index;
    } else {
      offices_.pop_back();
    }
  }
  std::erase_if(holes_, [&position](const BatchIdentity& hole) { return hole.last.index > position.index; });
  if (entries_.empty()) {
    if (position != position_of(entries_after_)) entries_after_ = {position.index, position.epoch, crc};
    end_ = entries_after_;
  } else {
    end_ = entries_.back().end;
  }
  ENSURE(end_.last == position.index, "cut inside a batch", position.index.value, "ends", end_.last.value);
  durable_ = std::min(durable_, position.index);
  lowest_cut_ = cuts_ == 0 ? position.index : std::min(lowest_cut_, position.index);
  ++cuts_;
}

void LogWindow::on_cut_done() {
  ENSURE(cuts_ > 0, "a cut that nobody asked for");
  --cuts_;
}

void LogWindow::on_persisted(const ChainEnd& end) {
  if (end.last <= durable_ || !has(position_of(end))) return;
  if (cuts_ > 0 && end.last > lowest_cut_) return;
  durable_ = end.last;
  forget_old();
}

void LogWindow::forget_old() {
  while (uncached_ < entries_.size() && cached_bytes_ > limits::log_cached_bytes &&
         entries_[uncached_].end.last <= durable_) {
    cached_bytes_ -= entries_[uncached_].batch->size();
    entries_[uncached_].batch.reset();
    ++uncached_;
  }
  while (entries_.size() > limits::log_ends && entries_.front().end.last <= durable_) {
    if (uncached_ > 0) {
      --uncached_;
    } else {
      cached_bytes_ -= entries_.front().batch->size();
    }
    entries_after_ = entries_.front().end;
    entries_.pop_front();
  }
}

void LogWindow::on_freed(LogIndex first) {
  const LogIndex kept_after{first.value - 1};
  if (kept_after <= base().index || kept_after > end_.last) return;
  std::erase_if(holes_, [first](const BatchIdentity& hole) { return hole.first < first; });
  const std::size_t office = office_of(kept_after);
  const Epoch epoch = offices_[office].epoch;
  // What is left of that office stays behind the new base.
  const std::size_t left = offices_[office].last > kept_after ? office : office + 1;
  offices_.erase(offices_.begin(), offices_.begin() + static_cast<std::ptrdiff_t>(left));
  offices_.insert(offices_.begin(), {epoch, kept_after});
}

void LogWindow::begin_anew(const ChainEnd& base) {
  const std::size_t cuts = cuts_;
  *this = LogWindow(base);
  cuts_ = cuts;
  lowest_cut_ = base.last;
}

}  // namespace cidbus::group
