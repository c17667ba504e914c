#include "tests/sim/group/disk.h"

#include <algorithm>
#include <cstring>

#include "broker/consensus/rules.h"
#include "shared/base/crc32c.h"
#include "shared/base/ensure.h"
#include "shared/base/limits/group.h"

namespace cidbus::group_sim {

using namespace group;

void SimDisk::open(Completion completion) {
  ++life_;
  completion_ = std::move(completion);
}

group::GroupStart SimDisk::recover() const {
  LogWindow log{base_};
  for (const Stored& stored : journal_) {
    if (stored.intact) {
      log.recovered(stored.end);
    } else {
      log.recovered_hole({stored.first, position_of(stored.end), stored.end.crc});
    }
  }
  const Epoch epoch = persisted_epoch();
  return {epoch,          vote_.epoch == epoch ? vote_.voted : nobody,
          std::move(log), snapshots_.back().last.last,
          repairing_,     is_new_};
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
  if (under_way_.empty() && !waiting_.empty() && !std::holds_alternative<WriteBatch>(waiting_.front())) {
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
  for (std::size_t at = 0; at < done.size() && life == life_; ++at) complete(done[at], at + 1 == done.size());
  if (life == life_) work();
}

void SimDisk::complete(const Command& command, bool is_last) {
  if (const auto* vote = std::get_if<WriteVote>(&command)) {
    completion_(VoteWritten{vote->epoch, vote->voted});
  } else if (std::holds_alternative<CutFrom>(command)) {
    completion_(CutDone{});
  } else if (std::holds_alternative<ReceiveFinish>(command)) {
    if (!std::exchange(installed_, false)) return completion_(ReceiveFailed{});
    const ChainEnd last = snapshots_.back().last;
    completion_(SnapshotInstalled{last, journal_.empty() ? base_ : journal_.back().end});
  } else if (const auto* refill = std::get_if<RefillHole>(&command)) {
    completion_(HoleRefilled{peek_batch_header(*refill->batch)->end()});
  } else if (std::holds_alternative<WriteRepaired>(command)) {
    completion_(RepairedWritten{});
  } else if (is_last) {
    completion_(BatchesWritten{journal_.back().end});
  }
}

void SimDisk::apply(const Command& command) {
  if (const auto* vote = std::get_if<WriteVote>(&command)) {
    vote_ = *vote;
    if (vote->founds) be_whole();
  } else if (const auto* to_cut = std::get_if<CutFrom>(&command)) {
    cut(to_cut->from);
  } else if (const auto* finish = std::get_if<ReceiveFinish>(&command)) {
    install(finish->replaces);
  } else if (const auto* refill = std::get_if<RefillHole>(&command)) {
    const ChainEnd end = peek_batch_header(*refill->batch)->end();
    for (Stored& stored : journal_) stored.intact = stored.intact || stored.end == end;
  } else if (std::holds_alternative<WriteRepaired>(command)) {
    be_whole();
  } else {
    const auto& write = std::get<WriteBatch>(command);
    const auto header = peek_batch_header(*write.batch);
    const ChainEnd end = journal_.empty() ? base_ : journal_.back().end;
    ENSURE(header->follows(end), "written behind", end.last.value, "batch begins with", header->first.value);
    journal_.push_back({write.batch, header->end(), header->first});
    highest_office_ = std::max(highest_office_, write.office);
    // It outlives the journal.
    if (write.office > vote_.epoch && group::holds(Rule::OfficeKept)) vote_ = {write.office, nobody};
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
    for (; found && at != journal_.end() && at->intact && bytes < request.bytes; ++at) {
      if (answer.batches.size() == request.batches) break;
      answer.batches.push_back(at->batch);
      bytes += at->batch->size();
    }
    completion_(std::move(answer));
  });
}

// ---- snapshots

namespace {

// Names what is in a file, as its real hash does.
std::array<std::uint8_t, 32> hash_of(const Bytes& file) {
  std::array<std::uint8_t, 32> hash{};
  const std::uint32_t crc = crc32c(file);
  std::memcpy(hash.data(), &crc, sizeof crc);
  return hash;
}

// A file says what it ends with; then comes the state.
ChainEnd end_of(const Bytes& file) {
  ByteReader reader(file);
  ChainEnd end;
  end.last = {reader.number<std::uint64_t>()};
  end.epoch = {reader.number<std::uint64_t>()};
  end.crc = reader.number<std::uint32_t>();
  return end;
}

}  // namespace

void SimDisk::keep_snapshot(const ChainEnd& last, Bytes file) {
  if (last.last <= snapshots_.back().last.last) return;
  snapshots_.push_back({last, std::move(file)});
  if (snapshots_.size() > 2) snapshots_.erase(snapshots_.begin());
  while (!journal_.empty() && journal_.front().end.last <= snapshots_.front().last.last) {
    base_ = journal_.front().end;
    journal_.erase(journal_.begin());
  }
  completion_(Freed{next(base_.last)});
}

void SimDisk::read(const ReadSnapshot& request) {
  timeline_.after(Duration(prng_.between(100'000, 2'000'000)), [this, life = life_, request] {
    if (life != life_) return;
    for (const Snapshot& snapshot : snapshots_) {
      const bool wanted =
          request.last == LogIndex{} ? &snapshot == &snapshots_.back() : snapshot.last.last == request.last;
      if (!wanted || snapshot.file.empty()) continue;
      SnapshotRead answer{request.peer,           snapshot.last.last, snapshot.file.size(),
                          hash_of(snapshot.file), request.offset,     nullptr};
      const auto from = snapshot.file.begin() + static_cast<std::ptrdiff_t>(request.offset);
      const std::size_t count = std::min<std::size_t>(request.bytes, snapshot.file.size() - request.offset);
      if (count > 0)
        answer.bytes = std::make_shared<const Bytes>(from, from + static_cast<std::ptrdiff_t>(count));
      return completion_(std::move(answer));
    }
    completion_(SnapshotRead{request.peer, request.last, 0, {}, request.offset, nullptr});
  });
}

void SimDisk::receive(const ReceiveBegin& begin) { received_ = {begin, {}}; }

void SimDisk::receive(const ReceivePiece& piece) {
  if (!received_ || received_->file.size() != piece.offset) return;
  received_->file.insert(received_->file.end(), piece.bytes->begin(), piece.bytes->end());
  if (std::exchange(damages_received_, false)) received_->file.back() ^= 1;
  timeline_.after(latency(), [this, life = life_, size = received_->file.size()] {
    if (life == life_ && received_ && received_->file.size() == size) completion_(PieceReceived{size});
  });
}

void SimDisk::install(bool replaces) {
  if (!received_ || hash_of(received_->file) != received_->what.hash) return;
  const ChainEnd last = end_of(received_->file);
  const bool keeps_journal =
      std::any_of(journal_.begin(), journal_.end(), [&](const Stored& stored) { return stored.end == last; });
  if (replaces) snapshots_.clear();
  snapshots_.push_back({last, std::move(received_->file)});
  if (snapshots_.size() > 2) snapshots_.erase(snapshots_.begin());
  if (!keeps_journal) {
    journal_.clear();
    base_ = last;
  }
  received_.reset();
  installed_ = true;
}

void SimDisk::crash() {
  ++life_;
  received_.reset();
  installed_ = false;
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

bool SimDisk::rot(Prng& chance) {
  if (journal_.empty()) return false;
  // At the end, where it matters most, or anywhere; one batch, or some in a row.
  const std::size_t count = std::min<std::size_t>(journal_.size(), chance.between(1, 4));
  const std::size_t places = journal_.size() - count + 1;
  const std::size_t near = std::min<std::size_t>(places, 5);
  std::size_t at = chance.chance(1, 2) ? places - 1 - chance.below(near) : chance.below(places);
  for (const std::size_t end = at + count; at < end; ++at)
    if (chance.chance(3, 4)) journal_[at].intact = false;
  return damaged();
}

void SimDisk::rot_behind(LogIndex last) {
  for (Stored& stored : journal_) stored.intact = stored.intact && stored.end.last <= last;
}

void SimDisk::lose_journal() {
  if (!repairing_) lost_ = std::move(journal_);
  journal_.clear();
  base_ = snapshots_.back().last;
  repairing_ = true;
  ++losses_;
  highest_office_ = {};
}

void SimDisk::replace() {
  if (!repairing_) lost_base_ = snapshots_.back().last.last;
  lose_journal();
  is_new_ = true;
  ++incarnation_;
  base_ = {};
  snapshots_.assign(1, {});
  vote_ = {};
}

void SimDisk::be_whole() {
  repairing_ = is_new_ = false;
  lost_.clear();
  lost_base_ = {};
}

bool SimDisk::damaged() const {
  return repairing_ ||
         std::any_of(journal_.begin(), journal_.end(), [](const Stored& stored) { return !stored.intact; });
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

bool SimDisk::holds(const LogPosition& position, bool leader_knows_of_loss) const {
  // What a snapshot was taken of is committed, and in it.
  if (position.index <= snapshots_.back().last.last) return true;
  const auto is_in = [&position](const std::vector<Stored>& batches) {
    const auto at =
        std::lower_bound(batches.begin(), batches.end(), position.index,
                         [](const Stored& stored, LogIndex last) { return stored.end.last < last; });
    return at != batches.end() && position_of(at->end) == position;
  };
  if (repairing_ && leader_knows_of_loss) return false;
  if (position.index <= lost_base_) return true;
  return is_in(repairing_ ? lost_ : journal_);
}

}  // namespace cidbus::group_sim
