#include "leecher/pull_through.h"

#include "shared/base/limits/leecher.h"
#include "shared/store/block_key.h"

namespace cidbus {

PullThrough::PullThrough(LocalBlocks local, SourceFactory make_source) : local_(std::move(local)) {
  thread_ = std::thread([this, make_source = std::move(make_source)] { work(make_source); });
}

PullThrough::~PullThrough() {
  stop_ = true;
  orders_.push({});
  thread_.join();
}

Result<std::optional<Block>> PullThrough::get(const Cid& cid, Check) {
  for (const Answer& answer : answers_.take_all()) {
    ordered_.erase(answer.cid);
    if (!answer.here && absent_.size() < limits::pull_wants) absent_.insert(answer.cid);
  }
  auto here = local_.find(cid);
  if (!here || *here) return here;
  if (absent_.erase(cid) > 0 || !local_.online) return std::nullopt;
  if (!ordered_.contains(cid) && ordered_.size() < limits::pull_wants) {
    ordered_.insert(cid);
    orders_.push(cid);
  }
  return fault(FaultKind::TryAgain, "block " + to_text(cid) + " is being fetched");
}

Result<bool> PullThrough::has(const Cid& cid) { return cid.is_identity() || local_.holds(block_key(cid)); }

void PullThrough::work(const SourceFactory& make_source) {
  const auto source = make_source();
  while (!stop_) {
    orders_.wait();
    const std::vector<Cid> wanted = orders_.take_all();
    std::vector<Cid> cids;
    for (const Cid& cid : wanted) {
      if (!cid.is_null()) cids.push_back(cid);
    }
    source->prefetch(cids);
    for (const Cid& cid : cids) {
      const bool here = !stop_ && source->get(cid).has_value();
      answers_.push({cid, here});
    }
  }
}

}  // namespace cidbus
