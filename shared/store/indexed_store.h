// A bounded store over another one, with an index of its blocks in memory: it finds them by key, and knows
// when each was used last.
//
// Full, it lets go of what was used longest ago (the cache of a leecher, of which it serves while it is cut
// off) or refuses (what it has promised to hand in). The memory store does either too, but dies with its
// process.
//
// Invariants
//  1. After trim(), and after every put, the blocks held have at most `capacity` bytes, but for kept ones.
//  2. A kept block goes only by remove(). When kept blocks leave no room, others are answered NoRoom.
//  3. Eviction goes by last use, oldest first; a block that get() or put() found has been used.
//
// Thread rule: any thread; puts wait for each other, and nothing else waits for the disk. Limits: the
// capacity given; about 200 bytes of memory a block.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "shared/store/memory_store.h"

namespace cidbus {

class IndexedStore final : public BlockStore {
 public:
  // Reads the list of blocks. `used` is what uses() gave before a restart: blocks that are not in it count as
  // used before all of those. `bound`: the option that sets the capacity, for who is told that there is no
  // room.
  static Result<std::unique_ptr<IndexedStore>> open(std::unique_ptr<BlockStore> under, WhenFull when_full,
                                                    ByteCount capacity, std::span<const BlockKey> used,
                                                    std::string bound = "the bound");
  // Evicts what a smaller capacity than before does not hold; call it when what is to be kept is known.
  Status trim();

  Result<std::optional<Block>> get(const Cid& cid, Check check = Check::Stored) override;
  Result<bool> has(const Cid& cid) override;
  // A block larger than the whole capacity is NoRoom.
  PutReport put(std::span<const Block> blocks) override;
  Status remove(std::span<const Cid> cids) override;
  Status for_each(const std::function<bool(const Multihash&, ByteCount)>& visit) override;
  [[nodiscard]] StoreCounts counts() const override;

  // Nothing when it is not here. Neither this nor has() is a use.
  [[nodiscard]] std::optional<ByteCount> size_of(const BlockKey& key) const;
  [[nodiscard]] bool has(const BlockKey& key) const { return size_of(key).has_value(); }
  // Nothing of these is evicted from here on; what is not here is passed over.
  void keep(std::span<const BlockKey> keys);
  // These are kept, and nothing else.
  void keep_only(std::span<const BlockKey> keys);
  [[nodiscard]] ByteCount kept_bytes() const;
  // Every key, used longest ago first: for open(), after a restart.
  [[nodiscard]] std::vector<BlockKey> uses() const;

 private:
  struct Held {
    BlockKey key;
    Multihash multihash;
    ByteCount size = 0;
    bool kept = false;
  };
  using Uses = std::list<Held>;  // longest ago first
  struct KeyHash {
    std::size_t operator()(const BlockKey& key) const noexcept;
  };

  IndexedStore(std::unique_ptr<BlockStore> under, WhenFull when_full, ByteCount capacity, std::string bound);
  void note(const Multihash& multihash, ByteCount size);
  void forget(const BlockKey& key);
  bool touch(const BlockKey& key);
  [[nodiscard]] std::vector<Cid> victims(ByteCount room) const;
  void keep_locked(std::span<const BlockKey> keys);
  [[nodiscard]] bool can_hold(ByteCount size) const;
  Status make_room(ByteCount room);
  PutAnswer put_one(const Block& block, std::string& reason);

  const std::unique_ptr<BlockStore> under_;
  const WhenFull when_full_;
  const ByteCount capacity_;
  const std::string bound_;  // what sets the capacity

  std::mutex writing_;        // held by who puts or removes, from the choice of victims to the end
  mutable std::mutex mutex_;  // of all below; never held while the disk works
  Uses uses_;
  std::unordered_map<BlockKey, Uses::iterator, KeyHash> places_;  // one for each of uses_
  ByteCount bytes_ = 0;                                           // of uses_
  ByteCount kept_bytes_ = 0;
};

}  // namespace cidbus
