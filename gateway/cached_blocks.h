// Blocks that are in memory already, for an answer that must not wait: what is not there is a miss.
//
// Decoding takes time too, so a turn may look at so many bytes of dag-pb only; what is beyond counts as a
// miss, and is then done where waiting is allowed.
//
// Thread rule: one owner; the cache may be shared. Limits: the bytes given.
#pragma once

#include <limits>
#include <string>

#include "shared/content/block.h"
#include "shared/store/memory_store.h"

namespace cidbus {

class CachedBlocks final : public BlockSource {
 public:
  static constexpr ByteCount no_limit = std::numeric_limits<ByteCount>::max();

  CachedBlocks(MemoryStore& cache, ByteCount dag_pb_bytes) : cache_(cache), left_(dag_pb_bytes) {}

  // TryAgain for a miss.
  Result<Block> get(const Cid& cid) override {
    auto found = cache_.get(cid);
    if (found && *found) {
      const ByteCount cost = cid.codec() == Codec::DagPb ? (*found)->bytes().size() : 0;
      if (cost <= left_) {
        left_ -= cost;
        return **std::move(found);
      }
    }
    missed_ = true;
    return fault(FaultKind::TryAgain, "block " + to_text(cid) + " is not in the cache");
  }
  [[nodiscard]] bool missed() const { return missed_; }

 private:
  MemoryStore& cache_;
  ByteCount left_;  // of dag-pb that may still be looked at
  bool missed_ = false;
};

}  // namespace cidbus
