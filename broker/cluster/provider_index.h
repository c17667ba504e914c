// Which nodes hold a block: the leader's own index, rebuilt from what nodes announce.
//
// Open addressing with linear probing over 32-byte entries: a block's key and up to seven holders; in shards
// that grow each by itself, so that no turn waits for the whole table to move. A node
// that leaves retires its holder number at once; entries that name it are cleaned when they are touched, and
// by sweep() in slices, so that no turn pays for a large node's departure.
//
// Invariants
//  1. find() names only registered holders.
//  2. A retired number is given out again only after a whole sweep.
//
// Thread rule: pure; one owner. Limits: limits::indexed_blocks; past it new blocks are not indexed,
// which costs a search among all nodes, never data. Seven holders a block are remembered.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "shared/base/limits/content.h"
#include "shared/core/node.h"

namespace cidbus {

class ProviderIndex {
 public:
  using Holder = std::uint16_t;  // 0 is nobody
  static constexpr std::size_t most_holders = 7;

  ProviderIndex();

  // 0 when 65,534 are registered already.
  Holder register_holder();
  void retire_holder(Holder holder);

  void add(Holder holder, const BlockKey& block);
  void remove(Holder holder, const BlockKey& block);
  [[nodiscard]] std::vector<Holder> find(const BlockKey& block) const;

  // Cleans up to `entries` entries; call it while it answers true, a slice a turn.
  bool sweep(std::size_t entries);

  [[nodiscard]] std::size_t blocks() const { return used_; }

 private:
  struct Entry {
    BlockKey block;
    std::array<Holder, most_holders> holders{};  // packed to the front
    std::uint16_t used = 0;
  };
  enum class HolderState : std::uint8_t { Free, Registered, Retired, RetiredInSweep };

  static constexpr unsigned shard_bits = 10;
  struct Shard {
    std::vector<Entry> entries;  // a power of two; at most 7/8 used
    std::size_t used = 0;
  };

  [[nodiscard]] static std::size_t find_place(const Shard& shard, const BlockKey& block);
  [[nodiscard]] std::size_t shard_of(const BlockKey& block) const;
  void clean(Entry& entry) const;
  void erase(Shard& shard, std::size_t place);
  void grow(std::size_t number);
  void end_sweep();

  std::vector<Shard> shards_;
  std::size_t used_ = 0;
  std::vector<HolderState> holders_;
  std::size_t retired_ = 0;  // numbers that wait for a sweep
  bool sweeping_ = false;
  std::size_t sweep_shard_ = 0;  // where the sweep is
  std::size_t sweep_at_ = 0;     // next entry in it
};

}  // namespace cidbus
