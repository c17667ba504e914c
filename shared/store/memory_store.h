// Blocks in memory, bounded: the cache of a gateway, of a reader, and the store of tests.
//
// When it is full it either lets go of what was used longest ago (a cache) or refuses (a store). A block that
// was handed out lives on with whoever holds it.
//
// Thread rule: any thread. The gateway's threads share one, which is what its mutex is for: an actor in
// between would cost a round trip for each cached block.
// Limits: the capacity given; each block is counted with memory_store_entry_bytes on top, so that many small
// ones are bounded too.
#pragma once

#include <list>
#include <mutex>
#include <unordered_map>

#include "shared/store/block_store.h"

namespace cidbus {

// What the list, the table and the allocator take for a block beside its bytes, about.
inline constexpr ByteCount memory_store_entry_bytes = 256;

enum class WhenFull : std::uint8_t { Evict, Refuse };

class MemoryStore : public BlockStore {
 public:
  MemoryStore(ByteCount capacity_bytes, WhenFull when_full, StoreListener listener = {});

  Result<std::optional<Block>> get(const Cid& cid, Check check = Check::Stored) override;
  Result<bool> has(const Cid& cid) override;
  PutReport put(std::span<const Block> blocks) override;
  Status remove(std::span<const Cid> cids) override;
  Status for_each(const std::function<bool(const Multihash&, ByteCount)>& visit) override;
  [[nodiscard]] StoreCounts counts() const override;

  // For a block that was verified on its way here: the cache does not hash it a second time. REQUIRES: it
  // was.
  void put_verified(const Block& block);
  // What does not fit any more is let go of at once. REQUIRES: it evicts.
  void set_capacity(ByteCount capacity_bytes);

 private:
  using Uses = std::list<Block>;  // most recent first

  [[nodiscard]] ByteCount used_bytes() const { return bytes_ + uses_.size() * memory_store_entry_bytes; }
  PutAnswer keep(const Block& block, std::vector<BlockKey>& added, std::vector<BlockKey>& removed);
  void drop(Uses::iterator at, std::vector<BlockKey>& removed);
  void tell(const std::vector<BlockKey>& added, const std::vector<BlockKey>& removed) const;

  const WhenFull when_full_;
  const StoreListener listener_;

  mutable std::mutex mutex_;  // of all below
  ByteCount capacity_bytes_;  // used_bytes() is at most that
  Uses uses_;
  std::unordered_map<Multihash, Uses::iterator> places_;  // one for each of uses_
  ByteCount bytes_ = 0;                                   // of uses_, without what each costs on top
};

}  // namespace cidbus
