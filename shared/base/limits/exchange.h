// Block stores and the block exchange: where each of them stops. What limits are for: README.md, here.
#pragma once

#include <cstddef>

namespace cidbus::limits {

inline constexpr std::size_t store_write_buffers = 64 << 20;  // kept by RocksDB before it writes a blob file
inline constexpr std::size_t store_write_bytes = 16 << 20;    // blocks in one synced write
inline constexpr std::size_t pack_bytes = 256 << 20;          // one file of a store of packs
inline constexpr std::size_t serve_peer_bytes = 8 << 20;      // blocks on their way to one peer
inline constexpr std::size_t serve_bytes = 64 << 20;          // blocks on their way to all peers
inline constexpr std::size_t serve_wants = 1024;          // blocks one peer has asked for and not been sent
inline constexpr std::size_t serve_peers = 4096;          // peers with such blocks
inline constexpr std::size_t fetch_bytes = 16 << 20;      // blocks a node has asked for and not been sent
inline constexpr std::size_t fetch_peer_bytes = 4 << 20;  // the same of one peer; below serve_peer_bytes
inline constexpr std::size_t fetch_peer_blocks = 64;      // the same, counted
inline constexpr std::size_t fetch_wants = 4096;          // blocks a node wants at once, hints included
inline constexpr std::size_t store_bytes = 32 << 20;      // blocks handed in and not yet synced elsewhere
inline constexpr std::size_t store_blocks = 4096;         // the same, counted

}  // namespace cidbus::limits
