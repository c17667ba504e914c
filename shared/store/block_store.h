// Where a node keeps blocks: one interface over memory and disk.
//
// Invariants
//  1. A block is hashed before it is kept; what does not match its CID is never kept, whoever hands it in.
//  2. put returns when what it answers Stored or Present is durable (as far as the store is: a memory store
//     lives as long as its process). All blocks of one put are synced together.
//  3. Blocks are keyed by multihash: CIDs of other version or codec meet the same bytes.
//  4. Identity CIDs carry their content, so they are always there, and never kept.
//  5. The listener hears of every key that came or went, after it is so, in the thread that did it.
//
// Thread rule: any thread, unless an implementation says otherwise.
// Limits: limits::block_bytes a block; StoreCounts::capacity_bytes in all.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "shared/base/limits/content.h"
#include "shared/content/block.h"
#include "shared/core/node.h"

namespace cidbus {

enum class PutAnswer : std::uint8_t {
  Stored,   // kept now
  Present,  // was there before
  Bad,      // not what its CID names, not checkable, or beyond limits::block_bytes
  NoRoom,   // the capacity, the disk or the store's own state forbids it; later may be better
};

struct PutReport {
  std::vector<PutAnswer> answers;  // in the order of the blocks
  std::string reason;              // of the first answer Bad or NoRoom; one line
  [[nodiscard]] bool all_kept() const;
};

struct StoreCounts {
  std::uint64_t blocks = 0;
  ByteCount bytes = 0;           // of the blocks themselves
  ByteCount capacity_bytes = 0;  // what `bytes` may reach; the largest number when only the disk bounds it
  ByteCount free_bytes = 0;      // what may still be put: by the capacity and by the disk
};

enum class Check : std::uint8_t {
  Stored,  // believe what was verified when it was put, behind the store's own checksums
  Hash,    // hash it again
};

// REQUIRES: quick, since the thread that puts waits for it. Either list may be empty.
using StoreListener = std::function<void(std::span<const BlockKey> added, std::span<const BlockKey> removed)>;

class BlockStore {
 public:
  virtual ~BlockStore() = default;

  // Nothing when it is not here. BadData when it is here but damaged: remove it and fetch it from elsewhere.
  // The block bears the CID asked for. REQUIRES: not null.
  virtual Result<std::optional<Block>> get(const Cid& cid, Check check = Check::Stored) = 0;
  virtual Result<bool> has(const Cid& cid) = 0;
  virtual PutReport put(std::span<const Block> blocks) = 0;
  // What is not there is passed over. Durable on return.
  virtual Status remove(std::span<const Cid> cids) = 0;
  // Every key once, in no promised order, while others put and remove; stops when `visit` says false.
  virtual Status for_each(const std::function<bool(const Multihash&, ByteCount)>& visit) = 0;
  [[nodiscard]] virtual StoreCounts counts() const = 0;
};

// Ok, or what a person is told of the first block that was not kept: TryAgain for no room, BadData for a bad
// one.
Status to_status(const PutReport& report);

// The same bytes under another form of its CID. REQUIRES: of one multihash.
Block named(const Cid& cid, const Block& block);

// What every store answers alike for one block: Bad with a reason, Present for identity, nothing to go on.
struct PutVerdict {
  std::optional<PutAnswer> answer;
  std::string reason;
};
PutVerdict check_before_put(const Block& block);

}  // namespace cidbus
