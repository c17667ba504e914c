#include "tests/sim/group/disk.h"

#include <algorithm>

#include "shared/base/ensure.h"
#include "shared/base/limits/group.h"

namespace cidbus::group_sim {

using namespace group;

void SimDisk::open(Completion completion) {
  ++life_;
  completion_ = std::move(completion);
}

group::GroupStart SimDisk::recover() const {
  LogWindow log{ChainEnd{}};
  for (const Stored& stored : journal_) log.recovered(stored.end);
  const Epoch epoch = persisted_epoch();
  const LogPosition last = log.last();
  return {epoch, vote_.epoch == epoch ? vote_.voted : nobody, std::move(log), last, LogIndex{}};
}

Duration SimDisk::latency() {
  if (slow_ > Duration::zero()) return slow_;
  if (prng_.chance(profile_.slow_per_mille, 1000)) return Duration(prng_.between(5'000'000, 100'000'000));
  const auto median = static_cast<std::uint64_t>(profile_.sync.count());
  return Duration(prng_.between(median / 2, median * 3 / 2));
}

void SimDisk::submit(Command command) {
  waiting_.push_back(std::move(command));
  work();
}

// As DiskExecutor does: all votes first; then a group of batches with one sync, or one cut.
void SimDisk::work() {
  if (!under_way_.empty() || hung_ || completion_ == nullptr) return;
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    if (std::holds_alternative<WriteVote>(*at)) {
      under_way_.push_back(std::move(*at));
      at = waiting_.erase(at);
    } else {
      ++at;
    }
  }
  if (under_way_.empty() && !waiting_.empty() && std::holds_alternative<CutFrom>(waiting_.front())) {
    under_way_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  std::size_t batches = 0;
  while (!full_ && ++batches <= profile_.batches_a_sync && !waiting_.empty() &&
         std::holds_alternative<WriteBatch>(waiting_.front()) &&
         (under_way_.empty() || std::holds_alternative<WriteBatch>(under_way_.back()))) {
    under_way_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  if (under_way_.empty()) return;
  timeline_.after(latency(), [this, life = life_] {
    if (life == life_) finish();
  });
}

void SimDisk::finish() {
  if (hung_) return;
  if (sync_fails_) {
    const auto ends = std::exchange(sync_fails_, nullptr);
    return ends();
  }
  ++syncs_;
  const std::vector<Command> done = std::exchange(under_way_, {});
  for (const Command& command : done) apply(command);
  // Completions may end this life.
  const std::uint64_t life = life_;
  for (std::size_t at = 0; at < done.size() && life == life_; ++at) {
    if (const auto* vote = std::get_if<WriteVote>(&done[at])) {
      completion_(VoteWritten{vote->epoch, vote->voted});
    } else if (std::holds_alternative<CutFrom>(done[at])) {
      completion_(CutDone{});
    } else if (at + 1 == done.size()) {
      completion_(BatchesWritten{journal_.back().end});
    }
  }
  if (life == life_) work();
}

void SimDisk::apply(const Command& command) {
  if (const auto* vote = std::get_if<WriteVote>(&command)) {
    vote_ = *vote;
  } else if (const auto* to_cut = std::get_if<CutFrom>(&command)) {
    cut(to_cut->from);
  } else {
    const auto& write = std::get<WriteBatch>(command);
    const auto header = peek_batch_header(*write.batch);
    const ChainEnd end = journal_.empty() ? ChainEnd{} : journal_.back().end;
    ENSURE(header->follows(end), "written behind", end.last.value, "batch begins with", header->first.value);
    journal_.push_back({write.batch, header->end(), header->first});
    highest_office_ = std::max(highest_office_, write.office);
  }
}

void SimDisk::cut(LogIndex from) {
  while (!journal_.empty() && journal_.back().first >= from) journal_.pop_back();
}

void SimDisk::read(const group::ReadBatches& request) {
  timeline_.after(Duration(prng_.between(100'000, 2'000'000)), [this, life = life_, request] {
    if (life != life_) return;
    BatchesRead answer{request.purpose, request.peer, request.from, {}};
    auto at = std::lower_bound(journal_.begin(), journal_.end(), request.from,
                               [](const Stored& stored, LogIndex from) { return stored.first < from; });
    const bool found = at != journal_.end() && at->first == request.from;
    std::size_t bytes = 0;
    for (; found && at != journal_.end() && bytes < request.bytes; ++at) {
      if (answer.batches.size() == limits::append_batches) break;
      answer.batches.push_back(at->batch);
      bytes += at->batch->size();
    }
    completion_(std::move(answer));
  });
}

void SimDisk::crash() {
  ++life_;
  completion_ = nullptr;
  // Of one sync, a beginning of the batches may be on disk; of votes and cuts each, or not.
  for (const Command& command : under_way_) {
    if (prng_.chance(1, 2)) {
      apply(command);
    } else if (std::holds_alternative<WriteBatch>(command)) {
      break;
    }
  }
  under_way_.clear();
  waiting_.clear();
  hung_ = false;
  sync_fails_ = nullptr;
}

void SimDisk::set_full(bool full) {
  full_ = full;
  if (!full) work();
}

void SimDisk::set_hung(bool hung) {
  const bool resumes = hung_ && !hung;
  hung_ = hung;
  if (!resumes) return;
  if (under_way_.empty()) return work();
  timeline_.after(latency(), [this, life = life_] {
    if (life == life_ && !under_way_.empty()) finish();
  });
}

bool SimDisk::holds(const LogPosition& position) const {
  const auto at =
      std::lower_bound(journal_.begin(), journal_.end(), position.index,
                       [](const Stored& stored, LogIndex last) { return stored.end.last < last; });
  return at != journal_.end() && position_of(at->end) == position;
}

}  // namespace cidbus::group_sim
