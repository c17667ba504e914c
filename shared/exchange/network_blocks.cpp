#include "shared/exchange/network_blocks.h"

#include "shared/base/ensure.h"
#include "shared/base/limits/exchange.h"
#include "shared/content/dag_walk.h"
#include "shared/io/clock.h"

namespace cidbus {

namespace {

constexpr std::size_t replicated_at_once = 256;

BlockClientOptions client_options(BlockClientOptions options, bool keeps_copy) {
  options.keeps_copy = keeps_copy;
  return options;
}

}  // namespace

NetworkBlocks::NetworkBlocks(SocketContext& context, BlockIndex& index, const NodeIdentity& identity,
                             const NetworkBlocksOptions& options, BlockStore* own, MemoryStore& cache)
    : own_(own),
      cache_(cache),
      client_(context, index, identity, client_options(options.client, own != nullptr),
              [this](const Block& block) { cache_.put_verified(block); }),
      timeout_(options.timeout) {}

Result<Block> NetworkBlocks::get(const Cid& cid) {
  if (cid.is_identity()) return Block(cid, to_bytes(cid.identity_content()));
  auto here = get_own(cid);
  if (here && !*here) here = cache_.get(cid);
  if (!here) return tl::unexpected(std::move(here.error()));
  if (*here) {
    client_.work();  // keeps what was prefetched coming
    return std::move(**here);
  }
  auto fetched = client_.fetch(cid, read_clock().monotonic + timeout_);
  if (fetched) cache_.put_verified(*fetched);
  return fetched;
}

// A damaged block is as good as none, and is let go so that it can be stored again.
Result<std::optional<Block>> NetworkBlocks::get_own(const Cid& cid) {
  if (own_ == nullptr) return std::nullopt;
  auto found = own_->get(cid);
  if (found || found.error().kind != FaultKind::BadData) return found;
  if (const Status removed = own_->remove({&cid, 1}); !removed) return tl::unexpected(removed.error());
  return std::nullopt;
}

void NetworkBlocks::prefetch(std::span<const Cid> cids) {
  std::vector<Cid> absent;
  for (const Cid& cid : cids) {
    if (cid.is_identity() || client_.is_fetching(cid) || *cache_.has(cid)) continue;
    if (own_ != nullptr && own_->has(cid).value_or(false)) continue;
    absent.push_back(cid);
  }
  if (!absent.empty()) client_.prefetch(absent);
}

Status NetworkBlocks::put(const Cid& cid, ByteView bytes) {
  if (own_fault_) return tl::unexpected(*own_fault_);
  if (cid.is_identity()) return {};
  const Block block(cid, to_bytes(bytes));
  if (own_ != nullptr) {
    unwritten_.push_back(block);
    unwritten_bytes_ += bytes.size();
    if (unwritten_bytes_ >= limits::store_write_bytes / 2) {
      if (Status written = write_own(); !written) return written;
    }
  }
  return client_.store(block);
}

Status NetworkBlocks::write_own() {
  if (unwritten_.empty() || own_fault_) return {};
  const Status written = to_status(own_->put(unwritten_));
  unwritten_.clear();
  unwritten_bytes_ = 0;
  if (!written) own_fault_ = written.error();
  return written;
}

Status NetworkBlocks::flush() {
  static_cast<void>(write_own());  // its fault stands in own_fault_
  const Status stored = client_.flush();
  if (own_fault_) {
    Fault fault = std::move(*own_fault_);
    own_fault_.reset();
    unwritten_.clear();
    unwritten_bytes_ = 0;
    return tl::unexpected(std::move(fault));
  }
  return stored;
}

Status NetworkBlocks::replicate(const Cid& root) {
  ENSURE(own_ != nullptr);
  if (Status flushed = flush(); !flushed) return flushed;
  std::vector<Cid> batch;
  Status walked = walk_cids(*this, root, [&](const Cid& cid) -> Status {
    batch.push_back(cid);
    if (batch.size() < replicated_at_once) return {};
    return replicate_batch(std::exchange(batch, {}));
  });
  if (walked) walked = replicate_batch(batch);
  const Status flushed = flush();
  return walked ? flushed : walked;
}

Status NetworkBlocks::replicate_batch(std::span<const Cid> cids) {
  if (cids.empty()) return {};
  const auto found = client_.find(cids, read_clock().monotonic + timeout_);
  if (!found) return tl::unexpected(found.error());
  for (std::size_t i = 0; i < cids.size(); ++i) {
    const auto here = own_->has(cids[i]);
    if (!here) return tl::unexpected(here.error());
    const bool elsewhere = !found->holders[i].empty();
    if (*here && elsewhere) continue;
    const auto block = get(cids[i]);
    if (!block) return tl::unexpected(block.error());
    if (!*here) {
      if (Status kept = to_status(own_->put({&*block, 1})); !kept) return kept;
    }
    if (elsewhere) continue;
    if (Status stored = client_.store(*block); !stored) return stored;
  }
  return {};
}

}  // namespace cidbus
