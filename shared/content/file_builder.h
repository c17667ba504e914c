// Builds the DAG of one file from its bytes, in the balanced layout, as they come.
//
// Each full chunk becomes a leaf at once, each full set of `width` links a node, so what is held is one chunk
// and the open node of each level: 10 GiB need no more than 10 MiB do. Leaves come out in order, a node after
// its children.
//
// Invariants: 1. all leaves stand at the same depth. 2. every level but the last open node is full. 3.
// levels_[i] is never empty. 4. a file of at most one chunk is that leaf alone. Thread rule: one owner.
// Limits: one chunk, and width x 64 B for each of a handful of levels.
#pragma once

#include <span>
#include <vector>

#include "shared/content/imported_node.h"

namespace cidbus {

class FileBuilder {
 public:
  // Borrows the sink. The profile is copied.
  FileBuilder(const ImportProfile& profile, BlockSink& sink);

  // Where the next bytes of the file go; never empty.
  std::span<std::uint8_t> space();
  // The first `count` bytes of space() are content now. A fault is the sink's; the file is lost then.
  // REQUIRES: count <= space().size()
  Status commit(std::size_t count);
  // The same for bytes that lie elsewhere; copies.
  Status write(ByteView bytes);
  // Puts what is open and gives the root. The builder is ready for another file.
  Result<ImportedNode> finish();
  // Forgets the file so far; what to do after a fault before another file.
  void discard();

 private:
  struct Child {
    Cid cid;
    ByteCount size = 0;
    ByteCount tsize = 0;
  };

  Status put_leaf();
  Result<Child> put_raw_leaf();
  Result<Child> put_dag_pb_leaf();
  Status add_child(std::size_t level, Child child);
  Result<Child> close_node(std::size_t level);
  Result<ImportedNode> finish_levels();

  ImportProfile profile_;
  BlockSink& sink_;
  Bytes buffer_;            // room for the head of a dag-pb leaf, the chunk, and room for its tail
  std::size_t filled_ = 0;  // content bytes of the chunk so far; less than a chunk between calls
  std::vector<std::vector<Child>> levels_;  // children of the open node of each level, lowest first
};

}  // namespace cidbus
