#include "broker/consensus/mending.h"

#include <algorithm>

#include "broker/consensus/rules.h"
#include "shared/base/limits/group.h"

namespace cidbus::group {
namespace {

BatchIdentity identity_of(const Bytes& batch) {
  const auto header = peek_batch_header(batch);
  return {header->first, position_of(header->end()), header->crc};
}

bool is_among(const BatchIdentity& identity, const std::vector<BatchIdentity>& holes) {
  return std::find(holes.begin(), holes.end(), identity) != holes.end();
}

// Of the batches, those that were asked for.
std::vector<SharedBatch> wanted(const std::vector<SharedBatch>& batches, const Fetch& fetch) {
  std::vector<SharedBatch> found;
  for (const SharedBatch& batch : batches)
    if (is_among(identity_of(*batch), fetch.holes)) found.push_back(batch);
  return found;
}

}  // namespace

// ---- the own holes

void Mending::tick(Monotonic now, const LogWindow& log, Epoch epoch, Effects& out) {
  if (now < deadline(log)) return;
  const std::vector<BatchIdentity>& holes = log.holes();
  if (round_ == 0 || about_ != holes.front().first) {
    if (about_ != holes.front().first) denials_ = 0;
    if (denials_ == 0) others_damaged_ = false;
    round_ = prng_() | 1;
    lacking_.clear();
    about_ = holes.front().first;
  }
  do {
    asked_ = static_cast<Seat>((place(asked_) + 1) % config_.size());
  } while (asked_ == config_.self() || lacking_.has(asked_));
  deadline_ = now + config_.timers.suspicion;
  const std::size_t count = std::min(holes.size(), limits::holes_asked);
  out.send(asked_, epoch,
           Fetch{log.last(), {holes.begin(), holes.begin() + static_cast<std::ptrdiff_t>(count)}, round_});
}

Mending::Outcome Mending::on_data(Monotonic now, const LogWindow& log, LogIndex commit, Seat from,
                                  const FetchData& data, Effects& out) {
  for (const SharedBatch& batch : data.batches) {
    const BatchIdentity identity = identity_of(*batch);
    const bool is_under_way =
        std::find(refilling_.begin(), refilling_.end(), identity.last.index) != refilling_.end();
    if (is_under_way || !is_among(identity, log.holes())) continue;
    refilling_.push_back(identity.last.index);
    out.add(RefillHole{batch});
  }
  const bool is_answer = data.round == round_ && !log.holes().empty() && log.holes().front().first == about_;
  if (!data.batches.empty() || !is_answer) return Outcome::Nothing;
  if (data.freed) return Outcome::OnlyInSnapshot;
  lacking_.add(from);
  others_damaged_ = others_damaged_ || data.damaged;
  if (lacking_.size() + 1 < config_.size()) {
    deadline_ = now;
    return Outcome::Nothing;
  }
  round_ = 0;
  if (++denials_ < (holds(Rule::DeniedTwice) ? 2 : 1)) {
    deadline_ = now;
    return Outcome::Nothing;
  }
  denials_ = 0;
  const LogPosition whole = log.whole();
  const bool may_go = next(whole.index) == about_ && log.remembers(whole) && commit < about_ &&
                      (!others_damaged_ || log.ends_with_damage());
  return may_go ? Outcome::NobodyHasIt : Outcome::Nothing;
}

void Mending::on_refilled(Monotonic now, LogWindow& log, const ChainEnd& end) {
  log.on_refilled(end);
  std::erase(refilling_, end.last);
  deadline_ = now;
}

// ---- the holes of others

void Mending::answer(const LogWindow& log, Epoch epoch, Seat to, const Fetch& fetch, bool lost,
                     Effects& out) {
  const BatchIdentity& first = fetch.holes.front();
  const bool freed = first.first <= log.base().index;
  const bool damaged = is_among(first, log.holes());
  if (freed || damaged || !log.has(first.last)) {
    if (!lost) out.send(to, epoch, FetchData{{}, log.whole(), true, freed, {}, fetch.round, damaged});
    return;
  }
  std::vector<SharedBatch> batches;
  const LogIndex before{first.first.value - 1};
  if (log.collect(before, limits::append_batches, limits::append_bytes, batches)) {
    out.send(to, epoch, FetchData{{}, log.whole(), true, false, wanted(batches, fetch), fetch.round, false});
  } else {
    reading_for_[place(to)] = fetch;
    out.add(ReadBatches{ReadFor::Mending, to, first.first, limits::append_bytes});
  }
}

void Mending::answer_read(const LogWindow& log, Epoch epoch, Seat to, const std::vector<SharedBatch>& batches,
                          Effects& out) {
  const auto fetch = std::exchange(reading_for_[place(to)], std::nullopt);
  if (!fetch) return;
  std::vector<SharedBatch> found = wanted(batches, *fetch);
  // Nothing: it was freed or cut meanwhile, or another question took this one's place. Asked again, it is
  // said.
  if (!found.empty())
    out.send(to, epoch, FetchData{{}, log.whole(), true, false, std::move(found), fetch->round, false});
}

}  // namespace cidbus::group
