// Builds the DAG of one directory from its entries: one block, or the shards of a HAMT when it grows too
// large.
//
// The end state decides which: the order of adding leaves no trace in the CID.
//
// Invariants: 1. entries are written ordered by the bytes of their names. 2. a shard holds an entry itself
// where it is alone in its bucket, and a further shard where two or more are. Thread rule: one owner. Limits:
// limits::directory_entries of limits::entry_name_bytes, all held in memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/limits/content.h"
#include "shared/content/hamt.h"
#include "shared/content/imported_node.h"

namespace cidbus {

struct DirectoryEntry {
  std::string name;  // bytes, as the file system has them
  Cid cid;
  ByteCount tsize = 0;  // of all blocks below
  unsigned height = 0;  // levels of blocks below the entry's root, where it is known
};

// Ok for a name that a directory may hold: 1 to limits::entry_name_bytes bytes, no '/', no NUL, not "." or
// "..".
Status check_entry_name(std::string_view name);

class DirectoryBuilder {
 public:
  // Borrows the sink. The profile is copied.
  DirectoryBuilder(const ImportProfile& profile, BlockSink& sink);

  // BadUsage for a bad name or one entry too many.
  Status add(DirectoryEntry entry);
  // Puts the blocks and gives the root. BadUsage when a name stands twice. The builder is empty afterwards.
  Result<ImportedNode> finish();

 private:
  struct Hashed {
    std::uint64_t hash;
    const DirectoryEntry* entry;
  };

  [[nodiscard]] bool needs_shards() const;
  Result<ImportedNode> put_basic();
  Result<ImportedNode> put_sharded();
  Result<ImportedNode> put_shard(std::span<const Hashed> entries, unsigned level);
  // One link of a shard: an entry, or the further shard that the entries of one bucket make.
  Result<DirectoryEntry> shard_entry(std::span<const Hashed> entries, unsigned bucket, unsigned level);

  ImportProfile profile_;
  BlockSink& sink_;
  HamtShape shape_;
  std::vector<DirectoryEntry> entries_;
};

}  // namespace cidbus
