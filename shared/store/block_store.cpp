#include "shared/store/block_store.h"

#include <algorithm>

namespace cidbus {

bool PutReport::all_kept() const {
  return std::ranges::all_of(
      answers, [](PutAnswer answer) { return answer == PutAnswer::Stored || answer == PutAnswer::Present; });
}

Status to_status(const PutReport& report) {
  for (const PutAnswer answer : report.answers) {
    if (answer == PutAnswer::NoRoom) return fault(FaultKind::TryAgain, report.reason);
    if (answer == PutAnswer::Bad) return fault(FaultKind::BadData, report.reason);
  }
  return {};
}

Block named(const Cid& cid, const Block& block) {
  if (block.cid() == cid) return block;
  return {cid, block.bytes(), std::make_shared<const Block>(block)};
}

PutVerdict check_before_put(const Block& block) {
  if (block.cid().is_null()) return {PutAnswer::Bad, "a block without a CID"};
  if (block.bytes().size() > limits::block_bytes) {
    return {PutAnswer::Bad, "block " + to_text(block.cid()) + " has " + std::to_string(block.bytes().size()) +
                                " bytes, at most " + std::to_string(limits::block_bytes) + " may be stored"};
  }
  const Status verified = verify(block.cid(), block.bytes());
  if (!verified) return {PutAnswer::Bad, verified.error().message};
  if (block.cid().is_identity()) return {PutAnswer::Present, {}};
  return {};
}

}  // namespace cidbus
