// dag-pb: a block with data and named links, the node format of UnixFS (https://ipld.io/specs/codecs/dag-pb).
//
//   PBNode { repeated PBLink Links = 2; optional bytes Data = 1; }       written in this order
//   PBLink { bytes Hash = 1; string Name = 2; uint64 Tsize = 3; }        all three written, Name even when
//   empty
//
// Read in any field order, written in one: blocks that are only passed on are never written again.
//
// Thread rule: functions of their arguments. Limits: limits::block_bytes, limits::node_links.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/base/limits/content.h"
#include "shared/base/result.h"
#include "shared/content/cid.h"

namespace cidbus {

struct DagPbLink {
  Cid cid;
  std::string_view name;  // bytes as they are, UTF-8 by custom; borrowed
  ByteCount tsize = 0;    // of the blocks below, by the word of whoever made the link; 0 when it says nothing
};

struct DagPbNode {
  std::vector<DagPbLink> links;
  std::optional<ByteView> data;  // borrowed
};

// Names and data point into the block. BadData for an unknown or repeated field, a link without a hash, a
// cut.
Result<DagPbNode> decode_dag_pb(ByteView block);

// REQUIRES: links ordered by name (bytes), as the specification asks.
Bytes encode_dag_pb(std::span<const DagPbLink> links, std::optional<ByteView> data);

// What a link adds to a block, and what data does: with them a block's size is known without making it.
std::size_t encoded_link_bytes(std::size_t cid_bytes, std::size_t name_bytes, ByteCount tsize);
std::size_t encoded_data_bytes(std::size_t data_bytes);

}  // namespace cidbus
