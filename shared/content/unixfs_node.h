// One block of a UnixFS DAG, fetched, decoded and checked: what every reader of files and folders walks on.
//
// Invariants: 1. of a file: links are unnamed, as many as child_sizes, and size = data.size() + the sum of
// child_sizes, as the block itself says. 2. of a shard: one link for each bit of its bitfield, in bucket
// order, each name beginning with its bucket. 3. of a symlink: data is the target, without NUL. 4. views
// point into `block`. Thread rule: values. Limits: those of decode_dag_pb and decode_unixfs.
#pragma once

#include <optional>
#include <vector>

#include "shared/content/block.h"
#include "shared/content/dag_pb.h"
#include "shared/content/hamt.h"
#include "shared/content/unixfs.h"

namespace cidbus {

struct UnixFsNode {
  Cid cid;      // as it was asked for
  Block block;  // its bytes; keeps the views below alive
  NodeKind kind = NodeKind::File;
  std::optional<HamtShape> shape;  // of a shard of a sharded folder
  std::vector<DagPbLink> links;
  ByteView data;                       // file bytes that stand before the links, or the symlink's target
  ByteCount size = 0;                  // of a file with all below it, or of the target; 0 for a folder
  std::vector<ByteCount> child_sizes;  // of a file: content bytes below each link
};

// The block from the source, or out of the CID itself when it is identity: such are never asked for.
Result<Block> load_block(BlockSource& source, const Cid& cid);

// BadData, naming the CID, when the block is no UnixFS node or breaks an invariant above; else what the
// source said.
Result<UnixFsNode> load_node(BlockSource& source, const Cid& cid);
Result<UnixFsNode> decode_node(const Cid& cid, Block block);

// The block and what it links to, each as often as it is linked; stops at the largest number when links lie.
ByteCount cumulative_bytes(const UnixFsNode& node);

}  // namespace cidbus
