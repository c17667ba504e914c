// The block index as the leader keeps it, asked over the bus.
//
// Thread rule: that of its asker, which it borrows. Limits: limits::items_a_message keys a question.
#pragma once

#include "shared/base/limits/messages.h"
#include "shared/exchange/block_index.h"
#include "shared/io/bus_asker.h"

namespace cidbus {

class BusBlockIndex final : public BlockIndex {
 public:
  // REQUIRES: the asker outlives it.
  explicit BusBlockIndex(BusAsker& asker) : asker_(asker) {}

  Result<BlockHolders> find(std::span<const BlockKey> keys, Monotonic deadline) override;
  Result<BlockPlacement> place(std::uint32_t copies, ByteCount bytes, std::span<const std::string> exclude,
                               Monotonic deadline) override;

 private:
  BusAsker& asker_;
};

}  // namespace cidbus
