// The parameters that decide which CID a file or folder gets: the profiles of IPIP-499 and Kubo's usual one.
//
// | name                 | CID | chunk   | width | leaves | HAMT beyond 262144 bytes of       |
// | unixfs-v1-2025       | v1  | 1 MiB   | 1024  | raw    | the block that would be written   |
// | unixfs-v0-2015       | v0  | 256 KiB | 174   | dag-pb | names and binary CIDs             |
// | kubo-cidv1-raw-256k  | v1  | 256 KiB | 174   | raw    | names and binary CIDs             |
//
// All: sha2-256, balanced layout, HAMT fanout 256 with murmur3, mode and mtime left out
// (https://specs.ipfs.tech/ipips/ipip-0499).
//
// Thread rule: values. Limits: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "shared/base/bytes.h"
#include "shared/base/limits/content.h"
#include "shared/base/result.h"

namespace cidbus {

// What is compared with the threshold to decide between one directory block and shards.
enum class ShardingRule : std::uint8_t {
  LinksBytes,  // sum of name and binary CID of each entry
  BlockBytes,  // the whole directory block as it would be written
};

struct ImportProfile {
  std::string_view name;
  unsigned cid_version = 1;
  std::size_t chunk_bytes = 1 << 20;  // at most limits::block_bytes less the few bytes of a leaf's frame
  std::size_t width = 1024;           // links of one node of a file, at least 2
  bool raw_leaves = true;
  ShardingRule sharding = ShardingRule::BlockBytes;
  std::size_t sharding_threshold = 262144;  // a directory of more is sharded
  unsigned hamt_fanout = 256;
};

inline constexpr ImportProfile unixfs_v1_2025{"unixfs-v1-2025"};
inline constexpr ImportProfile unixfs_v0_2015{"unixfs-v0-2015",         0,      262144, 174, false,
                                              ShardingRule::LinksBytes, 262144, 256};
inline constexpr ImportProfile kubo_cidv1_raw_256k{"kubo-cidv1-raw-256k",    1,      262144, 174, true,
                                                   ShardingRule::LinksBytes, 262144, 256};

inline constexpr const ImportProfile& default_profile = unixfs_v1_2025;

// The profile of that name; BadUsage lists the names there are.
Result<ImportProfile> find_profile(std::string_view name);

}  // namespace cidbus
