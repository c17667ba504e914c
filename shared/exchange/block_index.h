// Who holds which block, and where new ones may go: what a node asks the leader about content.
//
// An interface, so that exchange and tests need no broker. BusBlockIndex asks over the bus.
//
// Thread rule: one thread at a time. Limits: limits::items_a_message keys a question.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/base/limits/messages.h"
#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/core/node.h"

namespace cidbus {

struct StoringNode {
  std::string name;
  std::string endpoint;  // HOST:PORT of its block exchange
  friend bool operator==(const StoringNode&, const StoringNode&) = default;
};

struct BlockHolders {
  std::vector<StoringNode> nodes;
  std::vector<std::vector<std::uint32_t>> holders;  // for each key asked, in order: places in `nodes`
};

struct BlockPlacement {
  std::vector<StoringNode> nodes;   // at most as many as asked for
  std::uint32_t storing_nodes = 0;  // alive nodes that store blocks, room or not
};

class BlockIndex {
 public:
  virtual ~BlockIndex() = default;
  // Faults: Unavailable, naming the brokers tried; TimedOut. Both may be asked again.
  virtual Result<BlockHolders> find(std::span<const BlockKey> keys, Monotonic deadline) = 0;
  // `copies` nodes with room for `bytes`, none of them named in `exclude`.
  virtual Result<BlockPlacement> place(std::uint32_t copies, ByteCount bytes,
                                       std::span<const std::string> exclude, Monotonic deadline) = 0;
};

}  // namespace cidbus
