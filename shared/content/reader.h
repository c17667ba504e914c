// Reads UnixFS content out of blocks: paths, what a node is, listings, and any stretch of a file.
//
// Symlinks are told of and never followed, neither within a DAG nor out of it: a path through one is NotFound
// with a message that names its target. Only dag-pb and raw blocks are read.
//
// Invariants: 1. only blocks that the answer needs are fetched. 2. memory is bounded by the depth of the DAG,
// not by its size. 3. a hostile DAG ends in a fault (BadData), never in endless work. Thread rule: one thread
// at a time; calls block as long as the source does, so never on a reactor. Limits: limits::dag_depth,
// limits::node_links, limits::block_bytes.
#pragma once

#include <limits>
#include <string>
#include <vector>

#include "shared/base/limits/content.h"
#include "shared/content/byte_stream.h"
#include "shared/content/directory_reader.h"
#include "shared/content/unixfs_node.h"

namespace cidbus {

struct NodeStat {
  Cid cid;
  NodeKind kind = NodeKind::File;
  bool sharded = false;           // a folder kept as a HAMT
  ByteCount size = 0;             // bytes of a file or of a symlink's target; 0 for a folder
  ByteCount cumulative_size = 0;  // of all blocks, each as often as linked, by the word of the links
  ByteCount block_bytes = 0;      // of the root block alone
  std::size_t links = 0;          // of the root block: entries of a plain folder, parts of a file
};

// Bytes [offset, offset + length) of a file, as far as it goes.
struct ByteRange {
  ByteCount offset = 0;
  ByteCount length = std::numeric_limits<ByteCount>::max();
};

class Reader {
 public:
  // Borrows the source.
  explicit Reader(BlockSource& source) : source_(source) {}

  // The CID of the root and of every name below it: the last is what the path leads to, and for a bare CID
  // the root, unread. NotFound names the part of the path that is not there.
  Result<std::vector<Cid>> resolve(const ContentPath& path);

  Result<NodeStat> stat(const Cid& cid);
  // BadUsage when it is no folder.
  Status list(const Cid& directory, const EntryVisitor& visit);
  // How many bytes were written: fewer than asked only where the file ends. BadUsage when it is no file. What
  // went into the sink before a fault is right, but not all.
  Result<ByteCount> read(const Cid& file, ByteRange range, ByteSink& sink);
  // The target. BadUsage when it is no symlink.
  Result<std::string> read_symlink(const Cid& symlink);

  [[nodiscard]] BlockSource& source() { return source_; }

 private:
  Result<UnixFsNode> load_as(const Cid& cid, NodeKind kind);

  BlockSource& source_;
};

}  // namespace cidbus
