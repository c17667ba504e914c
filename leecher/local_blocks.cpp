#include "leecher/local_blocks.h"

#include "shared/store/block_key.h"

namespace cidbus {

Result<std::optional<Block>> LocalBlocks::find(const Cid& cid) const {
  auto found = cache.get(cid);
  if (found && *found) return found;
  if (!found) {
    if (found.error().kind != FaultKind::BadData) return found;
    if (const Status removed = cache.remove({&cid, 1}); !removed) return tl::unexpected(removed.error());
  }
  return added.get(cid);
}

Result<Block> OfflineBlocks::get(const Cid& cid) {
  auto here = local_.find(cid);
  if (!here) return tl::unexpected(std::move(here.error()));
  if (*here) return std::move(**here);
  return fault(FaultKind::Unavailable,
               "block " + to_text(cid) + " is not in the cache of leecher " + local_.leecher +
                   ", which is cut off from the brokers; fetch or pin it while one is "
                   "there");
}

Result<Block> CachingBlocks::get(const Cid& cid) {
  auto here = local_.find(cid);
  if (!here) return tl::unexpected(std::move(here.error()));
  if (*here) return std::move(**here);
  if (!local_.online) return OfflineBlocks(local_).get(cid);
  auto fetched = network_->get(cid);
  // One that finds no room beside what is pinned is given all the same.
  if (fetched) static_cast<void>(local_.cache.put({&*fetched, 1}));
  return fetched;
}

void CachingBlocks::prefetch(std::span<const Cid> cids) {
  if (!local_.online) return;
  std::vector<Cid> absent;
  for (const Cid& cid : cids) {
    if (!cid.is_identity() && !local_.holds(block_key(cid))) absent.push_back(cid);
  }
  if (!absent.empty()) network_->prefetch(absent);
}

}  // namespace cidbus
