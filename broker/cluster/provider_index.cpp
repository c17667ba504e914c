#include "broker/cluster/provider_index.h"

#include <algorithm>
#include <cstring>

#include "shared/base/ensure.h"
#include "shared/base/ids.h"

namespace cidbus {
namespace {

constexpr std::size_t first_capacity = 8;  // of a shard
constexpr std::size_t most_numbers = 65'535;

std::uint64_t hash_of(const BlockKey& block) {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::memcpy(&low, block.bytes.data(), 8);
  std::memcpy(&high, block.bytes.data() + 8, 8);
  return mix_bits(low ^ mix_bits(high));  // keys come from outside and may be chosen to collide
}

}  // namespace

ProviderIndex::ProviderIndex() : shards_(std::size_t{1} << shard_bits), holders_(1, HolderState::Retired) {
  for (Shard& shard : shards_) shard.entries.resize(first_capacity);
}

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

std::size_t ProviderIndex::shard_of(const BlockKey& block) const {
  return hash_of(block) >> (64 - shard_bits);
}

std::size_t ProviderIndex::find_place(const Shard& shard, const BlockKey& block) {
  const std::size_t mask = shard.entries.size() - 1;
  std::size_t place = hash_of(block) & mask;
  while (shard.entries[place].used != 0 && shard.entries[place].block != block) place = (place + 1) & mask;
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
  const std::size_t number = shard_of(block);
  Shard& shard = shards_[number];
  std::size_t place = find_place(shard, block);
  if (shard.entries[place].used == 0) {
    if (used_ >= limits::indexed_blocks) return;
    if ((shard.used + 1) * 8 > shard.entries.size() * 7) {
      grow(number);
      place = find_place(shard, block);
    }
    shard.entries[place] = Entry{block, {}, 1};
    ++shard.used;
    ++used_;
  }
  Entry& entry = shard.entries[place];
  clean(entry);
  for (Holder& held : entry.holders) {
    if (held == holder) return;
    if (held != 0) continue;
    held = holder;
    return;
  }
}

void ProviderIndex::remove(Holder holder, const BlockKey& block) {
  Shard& shard = shards_[shard_of(block)];
  const std::size_t place = find_place(shard, block);
  if (shard.entries[place].used == 0) return;
  Entry& entry = shard.entries[place];
  std::replace(entry.holders.begin(), entry.holders.end(), holder, Holder{0});
  clean(entry);
  if (entry.holders[0] == 0) erase(shard, place);
}

std::vector<ProviderIndex::Holder> ProviderIndex::find(const BlockKey& block) const {
  std::vector<Holder> found;
  const Shard& shard = shards_[shard_of(block)];
  const Entry& entry = shard.entries[find_place(shard, block)];
  if (entry.used == 0) return found;
  for (const Holder holder : entry.holders) {
    if (holder != 0 && holders_[holder] == HolderState::Registered) found.push_back(holder);
  }
  return found;
}

// Backward-shift deletion keeps every probe sequence whole without tombstones (Knuth, TAOCP 3, 6.4, algorithm
// R).
void ProviderIndex::erase(Shard& shard, std::size_t place) {
  std::vector<Entry>& entries = shard.entries;
  const std::size_t mask = entries.size() - 1;
  std::size_t hole = place;
  std::size_t next = (place + 1) & mask;
  while (entries[next].used != 0) {
    const std::size_t home = hash_of(entries[next].block) & mask;
    if (((next - home) & mask) >= ((next - hole) & mask)) {
      entries[hole] = entries[next];
      clean(entries[hole]);  // it may have moved from before a sweep to behind it
      hole = next;
    }
    next = (next + 1) & mask;
  }
  entries[hole] = Entry{};
  --shard.used;
  --used_;
}

void ProviderIndex::grow(std::size_t number) {
  Shard& shard = shards_[number];
  Shard grown{std::vector<Entry>(shard.entries.size() * 2), shard.used};
  for (const Entry& entry : shard.entries) {
    if (entry.used != 0) grown.entries[find_place(grown, entry.block)] = entry;
  }
  shard = std::move(grown);
  if (number == sweep_shard_) sweep_at_ = 0;  // places have moved: it is swept again
}

bool ProviderIndex::sweep(std::size_t entries) {
  if (retired_ == 0) return false;
  if (!sweeping_) {
    sweeping_ = true;
    // What is retired from here on waits for the next sweep.
    std::replace(holders_.begin() + 1, holders_.end(), HolderState::Retired, HolderState::RetiredInSweep);
  }
  for (; entries > 0; --entries) {
    Shard& shard = shards_[sweep_shard_];
    Entry& entry = shard.entries[sweep_at_];
    if (entry.used != 0) {
      clean(entry);
      if (entry.holders[0] == 0) {
        erase(shard, sweep_at_);  // may move another entry here: look again
        continue;
      }
    }
    if (++sweep_at_ < shard.entries.size()) continue;
    sweep_at_ = 0;
    if (++sweep_shard_ < shards_.size()) continue;
    end_sweep();
    break;
  }
  return retired_ != 0;
}

void ProviderIndex::end_sweep() {
  sweeping_ = false;
  sweep_shard_ = 0;
  for (auto& state : holders_) {
    if (state != HolderState::RetiredInSweep) continue;
    state = HolderState::Free;
    --retired_;
  }
}

}  // namespace cidbus
