#include "shared/store/memory_store.h"

#include <string>
#include <utility>

#include "shared/base/ensure.h"
#include "shared/store/block_key.h"

namespace cidbus {

MemoryStore::MemoryStore(ByteCount capacity_bytes, WhenFull when_full, StoreListener listener)
    : when_full_(when_full), listener_(std::move(listener)), capacity_bytes_(capacity_bytes) {}

Result<std::optional<Block>> MemoryStore::get(const Cid& cid, Check check) {
  if (cid.is_identity()) return Block(cid, to_bytes(cid.identity_content()));
  std::optional<Block> found;
  {
    const std::scoped_lock lock(mutex_);
    const auto place = places_.find(cid.multihash());
    if (place == places_.end()) return std::nullopt;
    uses_.splice(uses_.begin(), uses_, place->second);
    found = named(cid, *place->second);
  }
  if (check == Check::Hash) {
    if (Status verified = verify(cid, found->bytes()); !verified) {
      return tl::unexpected(std::move(verified.error()));
    }
  }
  return found;
}

Result<bool> MemoryStore::has(const Cid& cid) {
  if (cid.is_identity()) return true;
  const std::scoped_lock lock(mutex_);
  return places_.contains(cid.multihash());
}

PutReport MemoryStore::put(std::span<const Block> blocks) {
  PutReport report;
  std::vector<BlockKey> added;
  std::vector<BlockKey> removed;
  for (const Block& block : blocks) {
    PutVerdict verdict = check_before_put(block);
    if (!verdict.answer) {
      const std::scoped_lock lock(mutex_);
      verdict.answer = keep(block, added, removed);
      if (verdict.answer == PutAnswer::NoRoom) {
        verdict.reason = "the block store is full: it may hold " + std::to_string(capacity_bytes_) + " bytes";
      }
    }
    report.answers.push_back(*verdict.answer);
    if (report.reason.empty()) report.reason = std::move(verdict.reason);
  }
  tell(added, removed);
  return report;
}

void MemoryStore::put_verified(const Block& block) {
  if (block.cid().is_identity()) return;
  std::vector<BlockKey> added;
  std::vector<BlockKey> removed;
  {
    const std::scoped_lock lock(mutex_);
    keep(block, added, removed);
  }
  tell(added, removed);
}

Status MemoryStore::remove(std::span<const Cid> cids) {
  std::vector<BlockKey> removed;
  {
    const std::scoped_lock lock(mutex_);
    for (const Cid& cid : cids) {
      const auto place = places_.find(cid.multihash());
      if (place != places_.end()) drop(place->second, removed);
    }
  }
  tell({}, removed);
  return {};
}

Status MemoryStore::for_each(const std::function<bool(const Multihash&, ByteCount)>& visit) {
  std::vector<std::pair<Multihash, ByteCount>> keys;
  {
    const std::scoped_lock lock(mutex_);
    keys.reserve(uses_.size());
    for (const Block& block : uses_) keys.emplace_back(block.cid().multihash(), block.bytes().size());
  }
  for (const auto& [multihash, bytes] : keys) {
    if (!visit(multihash, bytes)) break;
  }
  return {};
}

StoreCounts MemoryStore::counts() const {
  const std::scoped_lock lock(mutex_);
  return {uses_.size(), bytes_, capacity_bytes_, capacity_bytes_ - used_bytes()};
}

void MemoryStore::set_capacity(ByteCount capacity_bytes) {
  ENSURE(when_full_ == WhenFull::Evict);
  std::vector<BlockKey> removed;
  {
    const std::scoped_lock lock(mutex_);
    capacity_bytes_ = capacity_bytes;
    while (used_bytes() > capacity_bytes_) drop(std::prev(uses_.end()), removed);
  }
  tell({}, removed);
}

PutAnswer MemoryStore::keep(const Block& block, std::vector<BlockKey>& added,
                            std::vector<BlockKey>& removed) {
  const auto place = places_.find(block.cid().multihash());
  if (place != places_.end()) {
    uses_.splice(uses_.begin(), uses_, place->second);
    return PutAnswer::Present;
  }
  const ByteCount size = block.bytes().size();
  const ByteCount cost = size + memory_store_entry_bytes;
  if (cost > capacity_bytes_) return PutAnswer::NoRoom;
  while (used_bytes() + cost > capacity_bytes_) {
    if (when_full_ == WhenFull::Refuse) return PutAnswer::NoRoom;
    drop(std::prev(uses_.end()), removed);
  }
  uses_.push_front(block);
  places_.emplace(block.cid().multihash(), uses_.begin());
  bytes_ += size;
  added.push_back(block_key(block.cid()));
  return PutAnswer::Stored;
}

void MemoryStore::drop(Uses::iterator at, std::vector<BlockKey>& removed) {
  const ByteCount size = at->bytes().size();
  ENSURE(bytes_ >= size, bytes_, size);
  bytes_ -= size;
  removed.push_back(block_key(at->cid()));
  places_.erase(at->cid().multihash());
  uses_.erase(at);
}

void MemoryStore::tell(const std::vector<BlockKey>& added, const std::vector<BlockKey>& removed) const {
  if (listener_ && (!added.empty() || !removed.empty())) listener_(added, removed);
}

}  // namespace cidbus
