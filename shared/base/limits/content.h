// CIDs, blocks and DAGs: where each of them stops. What limits are for: README.md, here.
#pragma once

#include <cstddef>

namespace cidbus::limits {

inline constexpr std::size_t block_bytes = 2 << 20;        // one block, as Bitswap and CAR bound it
inline constexpr std::size_t indexed_blocks = 20'000'000;  // blocks whose holders a broker knows
inline constexpr std::size_t dag_depth = 64;               // levels of a DAG followed from a root
inline constexpr std::size_t hamt_fanout = 1024;           // CVE-2023-23625
inline constexpr std::size_t digest_bytes = 128;           // of a multihash; identity included (IPIP-512)
inline constexpr std::size_t node_links =
    65536;  // links of one dag-pb node; a full block of real ones has 47,000
inline constexpr std::size_t dag_blocks = 4'000'000;  // blocks one walk of a DAG gives: 4 TiB at 1 MiB each
inline constexpr std::size_t directory_entries = 1'000'000;  // entries of one directory built here
inline constexpr std::size_t entry_name_bytes = 255;         // of a directory entry built here, as in Linux
inline constexpr std::size_t path_bytes = 4096;  // a path below a CID, or a symlink's target built here
inline constexpr std::size_t prefetch_bytes = 16 << 20;   // content asked for ahead of a reader
inline constexpr std::size_t prefetch_blocks = 64;        // blocks asked for ahead where sizes are not known
inline constexpr std::size_t car_header_bytes = 1 << 20;  // of a CAR v1: about 25,000 roots

}  // namespace cidbus::limits
