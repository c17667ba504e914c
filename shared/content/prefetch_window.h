// Tells a source early which links of a node a reader comes to next, as far ahead as a window allows.
//
// A hint goes out whenever less than half of the window is still ahead, so that a network source always has
// the other half under way, and hints come in batches rather than one by one.
//
// Thread rule: one owner. Limits: the window, in whatever unit the costs have (bytes, or 1 for each block).
#pragma once

#include <span>
#include <vector>

#include "shared/content/block.h"

namespace cidbus {

class PrefetchWindow {
 public:
  // Borrows the source. REQUIRES: window >= 2
  PrefetchWindow(BlockSource& source, std::uint64_t window) : source_(source), window_(window) {}

  // The reader is about to take link `next` of those in [next, end). link(i) gives a CID, or null for one
  // that need not be fetched; cost(i) what it takes of the window.
  template <typename Link, typename Cost>
  void advance(std::size_t next, std::size_t end, Link link, Cost cost) {
    for (; passed_ < next; ++passed_) {
      if (passed_ < hinted_) ahead_ -= cost(passed_);
    }
    if (hinted_ < next) hinted_ = next;
    if (hinted_ >= end || ahead_ > window_ / 2) return;
    batch_.clear();
    while (hinted_ < end && (ahead_ < window_ || hinted_ == next)) {
      ahead_ += cost(hinted_);
      if (const Cid* cid = link(hinted_); cid != nullptr && !cid->is_identity()) batch_.push_back(*cid);
      ++hinted_;
    }
    // One block that is asked for at once needs no hint.
    if (batch_.size() > 1 || (batch_.size() == 1 && hinted_ > next + 1)) source_.prefetch(batch_);
  }

 private:
  BlockSource& source_;
  std::uint64_t window_;
  std::uint64_t ahead_ = 0;  // cost of the links hinted and not yet passed
  std::size_t passed_ = 0;   // links before it lie behind the reader
  std::size_t hinted_ = 0;   // links before it were hinted or skipped
  std::vector<Cid> batch_;
};

}  // namespace cidbus
