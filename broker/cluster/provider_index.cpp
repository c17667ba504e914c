#include "broker/cluster/provider_index.h"

#include <algorithm>
#include <cstring>

#include "shared/base/ensure.h"
#include "shared/base/ids.h"

namespace cidbus {
namespace {

constexpr std::size_t first_capacity = 1024;
constexpr std::size_t most_numbers = 65'535;

std::uint64_t hash_of(const BlockKey& block) {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::memcpy(&low, block.bytes.data(), 8);
  std::memcpy(&high, block.bytes.data() + 8, 8);
  return mix_bits(low ^ mix_bits(high));  // keys come from outside and may be chosen to collide
}

}  // namespace

ProviderIndex::ProviderIndex() : entries_(first_capacity), holders_(1, HolderState::Retired) {}

ProviderIndex::Holder ProviderIndex::register_holder() {
  const auto free = std::find(holders_.begin() + 1, holders_.end(), HolderState::Free);
  if (free != holders_.end()) {
    *free = HolderState::Registered;
    return static_cast<Holder>(free - holders_.begin());
  }
  if (holders_.size() >= most_numbers) return 0;
  holders_.push_back(HolderState::Registered);
  return static_cast<Holder>(holders_.size() - 1);
}

void ProviderIndex::retire_holder(Holder holder) {
  ENSURE(holder != 0 && holders_.at(holder) == HolderState::Registered, "holder", holder);
  holders_[holder] = HolderState::Retired;
  ++retired_;
}

std::size_t ProviderIndex::find_place(const BlockKey& block) const {
  std::size_t place = hash_of(block) & (entries_.size() - 1);
  while (entries_[place].used != 0 && entries_[place].block != block)
    place = (place + 1) & (entries_.size() - 1);
  return place;
}

void ProviderIndex::clean(Entry& entry) const {
  const auto end = std::remove_if(entry.holders.begin(), entry.holders.end(), [this](Holder holder) {
    return holder == 0 || holders_[holder] != HolderState::Registered;
  });
  std::fill(end, entry.holders.end(), Holder{0});
}

void ProviderIndex::add(Holder holder, const BlockKey& block) {
  ENSURE(holder != 0 && holders_.at(holder) == HolderState::Registered, "holder", holder);
  std::size_t place = find_place(block);
  if (entries_[place].used == 0) {
    if (used_ >= limits::indexed_blocks) {
      ++not_indexed_;
      return;
    }
    if ((used_ + 1) * 8 > entries_.size() * 7) {
      grow();
      place = find_place(block);
    }
    entries_[place] = Entry{block, {}, 1};
    ++used_;
  }
  Entry& entry = entries_[place];
  clean(entry);
  for (Holder& held : entry.holders) {
    if (held == holder) return;
    if (held != 0) continue;
    held = holder;
    return;
  }
}

void ProviderIndex::remove(Holder holder, const BlockKey& block) {
  const std::size_t place = find_place(block);
  if (entries_[place].used == 0) return;
  Entry& entry = entries_[place];
  std::replace(entry.holders.begin(), entry.holders.end(), holder, Holder{0});
  clean(entry);
  if (entry.holders[0] == 0) erase(place);
}

std::vector<ProviderIndex::Holder> ProviderIndex::find(const BlockKey& block) const {
  std::vector<Holder> found;
  const Entry& entry = entries_[find_place(block)];
  if (entry.used == 0) return found;
  for (const Holder holder : entry.holders) {
    if (holder != 0 && holders_[holder] == HolderState::Registered) found.push_back(holder);
  }
  return found;
}

// Backward-shift deletion keeps every probe sequence whole without tombstones (Knuth, TAOCP 3, 6.4, algorithm
// R).
void ProviderIndex::erase(std::size_t place) {
  const std::size_t mask = entries_.size() - 1;
  std::size_t hole = place;
  std::size_t next = (place + 1) & mask;
  while (entries_[next].used != 0) {
    const std::size_t home = hash_of(entries_[next].block) & mask;
    if (((next - home) & mask) >= ((next - hole) & mask)) {
      entries_[hole] = entries_[next];
      clean(entries_[hole]);  // it may have moved from before a sweep to behind it
      hole = next;
    }
    next = (next + 1) & mask;
  }
  entries_[hole] = Entry{};
  --used_;
}

void ProviderIndex::grow() {
  std::vector<Entry> old(entries_.size() * 2);
  old.swap(entries_);
  for (const Entry& entry : old) {
    if (entry.used != 0) entries_[find_place(entry.block)] = entry;
  }
  sweep_at_ = 0;  // places have moved: begin again
}

bool ProviderIndex::sweep(std::size_t entries) {
  if (retired_ == 0) return false;
  if (sweep_at_ == 0) {
    // What is retired from here on waits for the next sweep.
    std::replace(holders_.begin() + 1, holders_.end(), HolderState::Retired, HolderState::RetiredInSweep);
  }
  const std::size_t end = std::min(entries_.size(), sweep_at_ + entries);
  while (sweep_at_ < end) {
    Entry& entry = entries_[sweep_at_];
    if (entry.used != 0) {
      clean(entry);
      if (entry.holders[0] == 0) {
        erase(sweep_at_);  // may move another entry here: look again
        continue;
      }
    }
    ++sweep_at_;
  }
  if (sweep_at_ == entries_.size()) end_sweep();
  return retired_ != 0;
}

void ProviderIndex::end_sweep() {
  sweep_at_ = 0;
  for (auto& state : holders_) {
    if (state != HolderState::RetiredInSweep) continue;
    state = HolderState::Free;
    --retired_;
  }
}

}  // namespace cidbus
