// A hash table of handles whose keys live in a slab: open addressing, eight bytes a cell, a load of 0.53 to
// 0.8.
//
// It is cut into shards that grow each by itself, so that no insertion ever moves more than a small part of
// ten million entries: a turn of the reactor must not wait for a table. The hash is kept beside the handle,
// so that growing and erasing never touch the slab.
//
// A cell's home is a group of eight by the upper bits of the hash and a place in it by the lowest three. Keys
// that follow one another may thus be hashed to stand side by side (hash_run): tasks submitted, run and
// forgotten together share cache lines.
//
// Invariants
//  1. A key has at most one entry; the caller looks before it inserts.
//  2. Along a probe from an entry's home to its cell no cell is free.
//
// Thread rule: one owner. Limits: 2^32 entries a shard.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "broker/tasks/slab.h"
#include "shared/base/ensure.h"
#include "shared/base/ids.h"

namespace cidbus {

class HandleTable {
 public:
  explicit HandleTable(unsigned shard_bits)
      : shift_(64 - shard_bits), shards_(std::size_t{1} << shard_bits) {}

  // The handle whose hash is this and for which `matches(handle)`; 0 when there is none.
  template <typename Matches>
  [[nodiscard]] Handle find(std::uint64_t hash, Matches&& matches) const {
    const Shard& shard = shards_[hash >> shift_];
    if (shard.count == 0) return 0;
    const auto low = static_cast<std::uint32_t>(hash);
    for (std::uint32_t at = home(low, shard.capacity);; at = at + 1 == shard.capacity ? 0 : at + 1) {
      const Cell cell = shard.cell(at);
      if (cell.handle == 0) return 0;
      if (cell.hash == low && matches(cell.handle)) return cell.handle;
    }
  }

  // REQUIRES: handle is not 0 and its key is not in the table.
  void insert(std::uint64_t hash, Handle handle) {
    Shard& shard = shards_[hash >> shift_];
    if ((shard.count + 1) * 5ULL > shard.capacity * 4ULL) resize(shard, shard.capacity + shard.capacity / 2);
    place(shard, Cell{static_cast<std::uint32_t>(hash), handle});
    ++shard.count;
    ++size_;
  }

  // REQUIRES: the handle was inserted under this hash.
  void erase(std::uint64_t hash, Handle handle) {
    Shard& shard = shards_[hash >> shift_];
    ENSURE(shard.count > 0, "handle", handle);
    std::uint32_t hole = home(static_cast<std::uint32_t>(hash), shard.capacity);
    while (shard.cell(hole).handle != handle) {
      ENSURE(shard.cell(hole).handle != 0, "handle", handle);
      hole = step(hole, shard.capacity);
    }
    close_hole(shard, hole);
    --shard.count;
    --size_;
    if (shard.capacity > smallest_shrunk && shard.count * 4ULL < shard.capacity) {
      resize(shard, shard.count + shard.count / 2);
    }
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t memory_used() const {
    return cells_ * sizeof(Cell) + shards_.capacity() * sizeof(Shard);
  }

 private:
  static constexpr std::uint32_t group = 8;
  static constexpr std::uint32_t smallest = group;
  // What has grown so far stays: keys come in runs of eight, and a shard of few would grow and shrink for
  // ever.
  static constexpr std::uint32_t smallest_shrunk = 12 * group;
  struct Cell {
    std::uint32_t hash = 0;
    Handle handle = 0;  // 0: free
  };
  struct alignas(64) Group {
    std::array<Cell, group> cells{};
  };
  struct Shard {
    std::unique_ptr<Group[]> groups;  // on cache lines of their own
    [[nodiscard]] Cell& cell(std::uint32_t at) const { return groups[at / group].cells[at % group]; }
    std::uint32_t capacity = 0;
    std::uint32_t count = 0;
  };

  // Scales the hash to the capacity, so that any multiple of a group will do and growth may be by half.
  static std::uint32_t home(std::uint32_t hash, std::uint32_t capacity) {
    const std::uint64_t scaled = (std::uint64_t{hash / group} * (capacity / group)) >> 29;
    return static_cast<std::uint32_t>(scaled) * group + hash % group;
  }
  static std::uint32_t step(std::uint32_t at, std::uint32_t capacity) {
    return at + 1 == capacity ? 0 : at + 1;
  }

  static void place(Shard& shard, Cell cell) {
    std::uint32_t at = home(cell.hash, shard.capacity);
    while (shard.cell(at).handle != 0) at = step(at, shard.capacity);
    shard.cell(at) = cell;
  }

  // Moves back every later entry of the cluster that may stand nearer to its home.
  static void close_hole(Shard& shard, std::uint32_t hole) {
    for (std::uint32_t at = step(hole, shard.capacity); shard.cell(at).handle != 0;
         at = step(at, shard.capacity)) {
      const std::uint32_t from_home = distance(home(shard.cell(at).hash, shard.capacity), at, shard.capacity);
      if (from_home < distance(hole, at, shard.capacity)) continue;
      shard.cell(hole) = shard.cell(at);
      hole = at;
    }
    shard.cell(hole) = Cell{};
  }
  static std::uint32_t distance(std::uint32_t from, std::uint32_t to, std::uint32_t capacity) {
    return to >= from ? to - from : to + capacity - from;
  }

  void resize(Shard& shard, std::uint32_t capacity) {
    capacity = std::max((capacity + group - 1) / group * group, smallest);
    Shard larger{std::make_unique<Group[]>(capacity / group), capacity, shard.count};
    for (std::uint32_t at = 0; at < shard.capacity; ++at) {
      if (shard.cell(at).handle != 0) place(larger, shard.cell(at));
    }
    cells_ += capacity;
    cells_ -= shard.capacity;
    shard = std::move(larger);
  }

  unsigned shift_;
  std::vector<Shard> shards_;
  std::size_t size_ = 0;
  std::size_t cells_ = 0;  // capacities of all shards
};

// Of numbers that are given one after another: eight in a row have neighbouring hashes.
constexpr std::uint64_t hash_run(std::uint64_t number) {
  return (mix_bits(number / 8) & ~7ULL) | (number % 8);
}

// A hash of bytes under a seed, so that nobody outside can choose keys that collide.
std::uint64_t hash_bytes(const void* bytes, std::size_t count, std::uint64_t seed);

}  // namespace cidbus
