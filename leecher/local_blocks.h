// The blocks that a leecher has: its cache, and what was added through it and is not handed in yet; and a
// source that fills the cache from the cluster's nodes while a broker is there.
//
// Thread rule: LocalBlocks from any thread; a CachingBlocks belongs to one. Limits: the two stores' own.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "shared/content/block.h"
#include "shared/store/indexed_store.h"

namespace cidbus {

struct LocalBlocks {
  std::string leecher;  // its name, for what people are told
  IndexedStore& cache;
  IndexedStore& added;              // through this leecher while it was cut off; not yet on any worker
  const std::atomic<bool>& online;  // a leader has taken this leecher in

  // Nothing when it is not here. A damaged one of the cache is as good as none, and goes.
  [[nodiscard]] Result<std::optional<Block>> find(const Cid& cid) const;
  [[nodiscard]] bool holds(const BlockKey& key) const { return cache.has(key) || added.has(key); }
};

// What is here, else from the network, and then here. While cut off, what is not here is Unavailable at once.
class CachingBlocks final : public BlockSource {
 public:
  // REQUIRES: what `local` refers to outlives it.
  CachingBlocks(LocalBlocks local, std::unique_ptr<BlockSource> network)
      : local_(std::move(local)), network_(std::move(network)) {}

  Result<Block> get(const Cid& cid) override;
  void prefetch(std::span<const Cid> cids) override;

 private:
  const LocalBlocks local_;
  const std::unique_ptr<BlockSource> network_;
};

// The same without a network.
class OfflineBlocks final : public BlockSource {
 public:
  explicit OfflineBlocks(LocalBlocks local) : local_(std::move(local)) {}
  Result<Block> get(const Cid& cid) override;

 private:
  const LocalBlocks local_;
};

}  // namespace cidbus
