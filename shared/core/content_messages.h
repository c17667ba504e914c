// Who holds which block, and what content is called, asked of the broker; and the block exchange itself, node
// to node.
//
// Thread rule: values. Limits and invariants: message.h.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "shared/core/node.h"

namespace cidbus {

struct Announce {
  bool first = false;  // forget what this node said before
  std::vector<BlockKey> added;
  std::vector<BlockKey> removed;
};
struct Find {
  RequestId request;
  std::vector<BlockKey> blocks;
};
struct Found {
  BlockKey block;
  std::vector<std::uint32_t> holders;  // places in Providers::nodes
};
struct Providers {
  RequestId request;
  std::vector<NodeAddress> nodes;
  std::vector<Found> blocks;  // in the order asked; an empty list of holders: nobody
};
struct Place {
  RequestId request;
  std::uint32_t copies = 2;
  std::uint64_t bytes = 0;                // how much room is wanted on each
  std::vector<std::string_view> exclude;  // node names
};
struct Placement {
  RequestId request;
  std::vector<NodeAddress> nodes;   // at most `copies`, most room first
  std::uint32_t storing_nodes = 0;  // alive nodes that store blocks, room or not
};

// What content is called.

struct ContentName {
  std::string_view name;
  ByteView cid;                                                     // binary
  std::vector<std::pair<std::string_view, std::string_view>> tags;  // in the user's order
  WallTime named_at;
};
struct NameContent {
  RequestId request;
  ContentName entry;  // without a CID: the name is taken off. The time is not looked at
};
struct FindContent {
  RequestId request;
  std::string_view name;                                            // a pattern with * and ?; empty for any
  std::vector<std::pair<std::string_view, std::string_view>> tags;  // all of these
  std::string_view after;                                           // only names behind this one
  std::uint32_t limit = 100;
};
// The answer to both: of NameContent, what the name stands for now.
struct ContentNames {
  RequestId request;
  std::vector<ContentName> entries;  // in the order of their names
  std::string_view next;             // ask again after this one for more; empty: that was all
};

// The block exchange.

struct WantBlocks {
  RequestId request;
  std::vector<ByteView> cids;  // binary
};
enum class BlockAnswer : std::uint8_t { Here, Missing, Busy };
// The block's bytes are the second frame of the message.
struct BlockReply {
  RequestId request;
  ByteView cid;
  BlockAnswer answer = BlockAnswer::Missing;
};
// The block's bytes are the second frame of the message.
struct StoreBlock {
  RequestId request;
  ByteView cid;
};
enum class StoreAnswer : std::uint8_t { Synced, BadHash, NoRoom, Busy };
struct StoreReply {
  RequestId request;
  ByteView cid;
  StoreAnswer answer = StoreAnswer::Synced;
  std::string_view reason;
};

}  // namespace cidbus
