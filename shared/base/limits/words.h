// Names and texts: where each of them stops. What limits are for: README.md, here.
#pragma once

#include <cstddef>

namespace cidbus::limits {

inline constexpr std::size_t name_length = 64;  // characters of a node, cluster, task type or parameter name
inline constexpr std::size_t endpoint_length = 256;  // characters of host:port
inline constexpr std::size_t text_length = 4096;     // bytes of an error or reason; longer ones are cut
inline constexpr std::size_t key_length = 256;       // bytes of an idempotency key
inline constexpr std::size_t cid_length =
    288;  // characters of a CID in text (cid_bytes in hexadecimal), checked before decoding: base58 is O(n^2)
inline constexpr std::size_t cid_bytes =
    140;  // bytes of a binary CID: an identity digest of 128 and its head

}  // namespace cidbus::limits
