// A block: a CID and the bytes it names, immutable, and where blocks come from and go to.
//
// The bytes have a shared owner, which may be a buffer, a pinned value of a store or a received frame, so a
// block is handed on without copying: a reader, a cache and a socket may hold it at once.
//
// Invariants: 1. the bytes never change. 2. whoever brings a block in from outside has hashed it first
// (verify(cid, bytes)); behind these interfaces blocks are believed.
// Thread rule: a Block may be read from many threads; a source or sink says its own rule.
// Limits: limits::block_bytes.
#pragma once

#include <memory>
#include <span>
#include <utility>

#include "shared/base/bytes.h"
#include "shared/base/limits/content.h"
#include "shared/base/result.h"
#include "shared/content/cid.h"

namespace cidbus {

class Block {
 public:
  Block() = default;
  // Takes the bytes over.
  Block(Cid cid, Bytes bytes) : cid_(std::move(cid)) {
    auto owned = std::make_shared<const Bytes>(std::move(bytes));
    bytes_ = *owned;
    owner_ = std::move(owned);
  }
  // Points into something that lives as long as the owner.
  Block(Cid cid, ByteView bytes, std::shared_ptr<const void> owner)
      : cid_(std::move(cid)), bytes_(bytes), owner_(std::move(owner)) {}

  [[nodiscard]] const Cid& cid() const { return cid_; }
  // Valid as long as any copy of this block.
  [[nodiscard]] ByteView bytes() const { return bytes_; }

 private:
  Cid cid_;
  ByteView bytes_;
  std::shared_ptr<const void> owner_;  // shared because reader, cache and socket hold one block at once
};

class BlockSource {
 public:
  virtual ~BlockSource() = default;
  // The block, verified. NotFound (naming the CID) when nobody has it; TimedOut, Unavailable and so on from a
  // network. Looked up by multihash: the version and codec of the CID do not matter. May block.
  virtual Result<Block> get(const Cid& cid) = 0;
  // These will be asked for next, in this order, unless the reader gives up. A hint: doing nothing is right.
  virtual void prefetch(std::span<const Cid> cids) { static_cast<void>(cids); }
};

class BlockSink {
 public:
  virtual ~BlockSink() = default;
  // REQUIRES: the CID was computed from these bytes or verified against them by the caller. Borrows the bytes
  // until it returns. Putting a block that is there already is fine. TryAgain when there is no room.
  virtual Status put(const Cid& cid, ByteView bytes) = 0;
};

}  // namespace cidbus
