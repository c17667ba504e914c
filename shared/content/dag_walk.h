// Gives every block of a DAG once, depth first, a node before what it links to: to replicate it, pin it,
// count it.
//
// Leaves (raw, cbor, json) link to nothing; dag-pb is followed, UnixFS or not; any other codec is refused
// rather than taken for a leaf, so that a walk that ends well has seen all. Identity CIDs are no blocks: they
// are followed and not given. A block linked under version 0 and 1 is given once, one linked under two codecs
// twice.
//
// Thread rule: functions of their arguments; block as long as source and visitor do.
// Limits: limits::dag_depth levels with their links held, limits::dag_blocks CIDs remembered (64 B each).
#pragma once

#include <functional>

#include "shared/base/limits/content.h"
#include "shared/content/block.h"

namespace cidbus {

using CidVisitor = std::function<Status(const Cid&)>;
using BlockVisitor = std::function<Status(const Block&)>;

// CIDs only: leaves are not fetched. The visitor is told of a node before the source is asked for it, so a
// visitor that brings blocks into the source makes the rest of the walk possible. Its fault ends the walk.
Status walk_cids(BlockSource& source, const Cid& root, const CidVisitor& visit);
// Every block with its bytes; hints limits::prefetch_blocks ahead.
Status walk_blocks(BlockSource& source, const Cid& root, const BlockVisitor& visit);

struct DagSize {
  std::uint64_t blocks = 0;
  ByteCount bytes = 0;
};
// By fetching every block.
Result<DagSize> measure_dag(BlockSource& source, const Cid& root);

}  // namespace cidbus
