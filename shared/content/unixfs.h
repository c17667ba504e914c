// The UnixFS Data message: what a dag-pb node is in the world of files (https://specs.ipfs.tech/unixfs).
//
//   Data { Type = 1; bytes Data = 2; uint64 filesize = 3; repeated uint64 blocksizes = 4; uint64 hashType =
//   5;
//          uint64 fanout = 6; uint32 mode = 7; UnixTime mtime = 8; }                    written in this order
//
// Blocksizes are written unpacked and read either way. mode and mtime are skipped: the profiles leave them
// out, and nothing here acts on them. Unknown fields are skipped, as protobuf asks.
//
// Thread rule: functions of their arguments. Limits: limits::node_links blocksizes.
#pragma once

#include <optional>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/base/limits/content.h"
#include "shared/base/result.h"

namespace cidbus {

enum class UnixFsType : std::uint8_t {
  Raw = 0,
  Directory = 1,
  File = 2,
  Metadata = 3,
  Symlink = 4,
  HamtShard = 5
};

// What people call a node: a sharded directory is a directory, a raw leaf is a file.
enum class NodeKind : std::uint8_t { File, Directory, Symlink };
const char* to_text(NodeKind kind);  // "file", "folder", "symlink"

inline constexpr std::uint64_t hamt_murmur3 = 0x22;  // multicodec murmur3-x64-64, the only HAMT hash in use

struct UnixFsData {
  UnixFsType type = UnixFsType::File;
  std::optional<ByteView> data;  // file bytes, symlink target or HAMT bitfield; borrowed
  std::optional<ByteCount> file_size;
  std::vector<ByteCount> block_sizes;  // payload bytes below each link of a file
  std::optional<std::uint64_t> hash_type;
  std::optional<std::uint64_t> fanout;
};

// Data points into the message. BadData for a missing or unknown type, a field twice, a cut.
Result<UnixFsData> decode_unixfs(ByteView message);
Bytes encode_unixfs(const UnixFsData& data);

}  // namespace cidbus
