#include "shared/store/indexed_store.h"

#include <cstring>

#include "shared/base/ids.h"
#include "shared/store/block_key.h"

namespace cidbus {

std::size_t IndexedStore::KeyHash::operator()(const BlockKey& key) const noexcept {
  std::uint64_t front = 0;
  std::memcpy(&front, key.bytes.data(), sizeof front);
  return mix_bits(front);
}

IndexedStore::IndexedStore(std::unique_ptr<BlockStore> under, WhenFull when_full, ByteCount capacity,
                           std::string bound)
    : under_(std::move(under)), when_full_(when_full), capacity_(capacity), bound_(std::move(bound)) {}

Result<std::unique_ptr<IndexedStore>> IndexedStore::open(std::unique_ptr<BlockStore> under,
                                                         WhenFull when_full, ByteCount capacity,
                                                         std::span<const BlockKey> used, std::string bound) {
  std::unique_ptr<IndexedStore> store(
      new IndexedStore(std::move(under), when_full, capacity, std::move(bound)));
  const Status listed = store->under_->for_each([&](const Multihash& multihash, ByteCount size) {
    store->note(multihash, size);
    return true;
  });
  if (!listed) return tl::unexpected(listed.error());
  for (const BlockKey& key : used) store->touch(key);
  return store;
}

// Two blocks whose digests begin alike: the later one is known, the earlier one is no longer found by key.
void IndexedStore::note(const Multihash& multihash, ByteCount size) {
  const BlockKey key = block_key(multihash);
  const std::scoped_lock lock(mutex_);
  const auto known = places_.find(key);
  if (known != places_.end()) {
    uses_.splice(uses_.end(), uses_, known->second);
    return;
  }
  places_.emplace(key, uses_.insert(uses_.end(), {key, multihash, size, false}));
  bytes_ += size;
}

void IndexedStore::forget(const BlockKey& key) {
  const std::scoped_lock lock(mutex_);
  const auto place = places_.find(key);
  if (place == places_.end()) return;
  bytes_ -= place->second->size;
  if (place->second->kept) kept_bytes_ -= place->second->size;
  uses_.erase(place->second);
  places_.erase(place);
}

bool IndexedStore::touch(const BlockKey& key) {
  const std::scoped_lock lock(mutex_);
  const auto place = places_.find(key);
  if (place == places_.end()) return false;
  uses_.splice(uses_.end(), uses_, place->second);
  return true;
}

Result<std::optional<Block>> IndexedStore::get(const Cid& cid, Check check) {
  if (!cid.is_identity() && !touch(block_key(cid))) return std::nullopt;
  return under_->get(cid, check);
}

Result<bool> IndexedStore::has(const Cid& cid) { return cid.is_identity() || has(block_key(cid)); }

std::optional<ByteCount> IndexedStore::size_of(const BlockKey& key) const {
  const std::scoped_lock lock(mutex_);
  const auto place = places_.find(key);
  return place == places_.end() ? std::nullopt : std::optional(place->second->size);
}

// What must go so that `room` more bytes fit; as much as may go when that is not enough.
std::vector<Cid> IndexedStore::victims(ByteCount room) const {
  const std::scoped_lock lock(mutex_);
  std::vector<Cid> chosen;
  ByteCount left = bytes_;
  for (const Held& held : uses_) {
    if (left + room <= capacity_) break;
    if (held.kept) continue;
    chosen.push_back(Cid::v1(Codec::Raw, held.multihash));
    left -= held.size;
  }
  return chosen;
}

Status IndexedStore::make_room(ByteCount room) {
  const std::vector<Cid> going = victims(room);
  if (going.empty()) return {};
  if (Status removed = under_->remove(going); !removed) return removed;
  for (const Cid& cid : going) forget(block_key(cid));
  return {};
}

Status IndexedStore::trim() {
  const std::scoped_lock lock(writing_);
  return when_full_ == WhenFull::Evict ? make_room(0) : Status();
}

bool IndexedStore::can_hold(ByteCount size) const {
  const std::scoped_lock lock(mutex_);
  return size + (when_full_ == WhenFull::Evict ? kept_bytes_ : bytes_) <= capacity_;
}

PutReport IndexedStore::put(std::span<const Block> blocks) {
  PutReport report;
  const std::scoped_lock lock(writing_);
  for (const Block& block : blocks) report.answers.push_back(put_one(block, report.reason));
  return report;
}

// `reason` keeps the first.
PutAnswer IndexedStore::put_one(const Block& block, std::string& reason) {
  const auto refused = [&reason](PutAnswer answer, std::string why) {
    if (reason.empty()) reason = std::move(why);
    return answer;
  };
  if (block.cid().is_identity() || touch(block_key(block.cid()))) return PutAnswer::Present;
  const ByteCount size = block.bytes().size();
  if (!can_hold(size)) {
    return refused(PutAnswer::NoRoom, "no room beside the " + std::to_string(counts().bytes) +
                                          " bytes that must stay; " + bound_ + " is " +
                                          std::to_string(capacity_));
  }
  if (const Status room = make_room(size); !room) return refused(PutAnswer::NoRoom, room.error().message);
  PutReport under = under_->put({&block, 1});
  const PutAnswer answer = under.answers.front();
  if (answer == PutAnswer::Stored || answer == PutAnswer::Present) note(block.cid().multihash(), size);
  return refused(answer, std::move(under.reason));
}

Status IndexedStore::remove(std::span<const Cid> cids) {
  const std::scoped_lock lock(writing_);
  if (Status removed = under_->remove(cids); !removed) return removed;
  for (const Cid& cid : cids) forget(block_key(cid));
  return {};
}

Status IndexedStore::for_each(const std::function<bool(const Multihash&, ByteCount)>& visit) {
  return under_->for_each(visit);
}

StoreCounts IndexedStore::counts() const {
  const std::scoped_lock lock(mutex_);
  const ByteCount free = bytes_ < capacity_ ? capacity_ - bytes_ : 0;
  return {uses_.size(), bytes_, capacity_, free};
}

void IndexedStore::keep(std::span<const BlockKey> keys) {
  const std::scoped_lock lock(mutex_);
  keep_locked(keys);
}

void IndexedStore::keep_only(std::span<const BlockKey> keys) {
  const std::scoped_lock lock(mutex_);
  for (Held& held : uses_) held.kept = false;
  kept_bytes_ = 0;
  keep_locked(keys);
}

void IndexedStore::keep_locked(std::span<const BlockKey> keys) {
  for (const BlockKey& key : keys) {
    const auto place = places_.find(key);
    if (place == places_.end() || place->second->kept) continue;
    place->second->kept = true;
    kept_bytes_ += place->second->size;
  }
}

ByteCount IndexedStore::kept_bytes() const {
  const std::scoped_lock lock(mutex_);
  return kept_bytes_;
}

std::vector<BlockKey> IndexedStore::uses() const {
  const std::scoped_lock lock(mutex_);
  std::vector<BlockKey> keys;
  keys.reserve(uses_.size());
  for (const Held& held : uses_) keys.push_back(held.key);
  return keys;
}

}  // namespace cidbus
