// Gives a stretch of a file's bytes, fetching only the blocks that hold some of them.
//
// Each child is held against the size its parent claims for it before a byte of it goes out, and children
// without bytes in the stretch are never touched. So every fetch brings at least one byte nearer, and a
// hostile DAG costs at most limits::dag_depth blocks a byte asked for.
//
// Thread rule: a function of its arguments; blocks as long as source and sink do.
// Limits: limits::dag_depth levels, one block of each held at a time; limits::prefetch_bytes hinted ahead.
#pragma once

#include "shared/base/limits/content.h"
#include "shared/content/byte_stream.h"
#include "shared/content/unixfs_node.h"

namespace cidbus {

// Bytes [begin, end) of the file, in order. REQUIRES: root.kind is File, begin <= end <= root.size
Status read_file_range(BlockSource& source, const UnixFsNode& root, ByteCount begin, ByteCount end,
                       ByteSink& sink);

}  // namespace cidbus
