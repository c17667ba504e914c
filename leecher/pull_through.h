// What a leecher's block exchange serves from: its own blocks, and those of the cluster, which it fetches
// when they are asked for.
//
// The exchange has one thread, which must not wait; so a block that is not here is ordered from a thread that
// may, and TryAgain is answered until it has come. Blocks put here were added through this leecher.
//
// Invariants: 1. a block is ordered once, however often it is asked for meanwhile. 2. When it cannot be had,
// the next question is answered that it is not here, and the one after that orders it again.
//
// Thread rule: the exchange's thread; one more inside. Limits: limits::pull_wants blocks ordered.
#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <unordered_set>

#include "leecher/local_blocks.h"
#include "shared/io/mailbox.h"

namespace cidbus {

class PullThrough final : public BlockStore {
 public:
  // Makes the source, in the thread that uses it.
  using SourceFactory = std::function<std::unique_ptr<BlockSource>()>;

  PullThrough(LocalBlocks local, SourceFactory make_source);
  // REQUIRES: the source ends its waits soon.
  ~PullThrough() override;

  Result<std::optional<Block>> get(const Cid& cid, Check check = Check::Stored) override;
  Result<bool> has(const Cid& cid) override;
  PutReport put(std::span<const Block> blocks) override { return local_.added.put(blocks); }
  Status remove(std::span<const Cid> cids) override { return local_.cache.remove(cids); }
  Status for_each(const std::function<bool(const Multihash&, ByteCount)>& visit) override {
    return local_.cache.for_each(visit);
  }
  [[nodiscard]] StoreCounts counts() const override { return local_.added.counts(); }

 private:
  struct Answer {
    Cid cid;
    bool here = false;
  };
  void work(const SourceFactory& make_source);

  const LocalBlocks local_;
  std::unordered_set<Cid> ordered_;
  std::unordered_set<Cid> absent_;  // ordered in vain, and not told of yet
  Mailbox<Cid> orders_;             // a null one: end
  Mailbox<Answer> answers_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace cidbus
