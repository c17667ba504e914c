// Finds and lists the entries of a folder, in one block or sharded.
//
// In a sharded folder every entry is held against the place where its name's hash must stand. What fails is
// refused, so a shard linked from many places, or to itself, cannot make a listing endless.
//
// Thread rule: functions of their arguments; block as long as the source does.
// Limits: the levels of a HamtShape; one shard of each level held at a time; limits::prefetch_blocks hinted
// ahead.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "shared/base/limits/content.h"
#include "shared/content/unixfs_node.h"

namespace cidbus {

struct ListedEntry {
  std::string_view
      name;  // bytes as they stand in the DAG, "../x" and "" included: check before using as a file name
  Cid cid;
  ByteCount tsize = 0;  // of all blocks below, by the folder's word
};

enum class Visit : std::uint8_t { Continue, Stop };

// The name is borrowed. A fault ends the listing with it.
using EntryVisitor = std::function<Result<Visit>(const ListedEntry&)>;

// REQUIRES of both: directory.kind is Directory
// Every entry, in the folder's order: by name in one block, by hash when sharded.
Status list_directory(BlockSource& source, const UnixFsNode& directory, const EntryVisitor& visit);
// Nothing when there is no entry of that name. Fetches only the shards on the way.
Result<std::optional<Cid>> find_entry(BlockSource& source, const UnixFsNode& directory,
                                      std::string_view name);

}  // namespace cidbus
