// HTTP at a gateway: where each of them stops. What limits are for: README.md, here.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace cidbus::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t http_header_bytes = 16 << 10;   // of a request, its line included; past it 431
inline constexpr std::size_t http_connections = 2000;        // at once; past it the idle ones go, then 503
inline constexpr std::size_t http_path_segments = 64;        // names below a CID in one request; past it 414
inline constexpr std::size_t http_ranges = 16;               // in one Range; of more, the whole is sent
inline constexpr std::size_t http_listing_entries = 10'000;  // of a folder on its page
inline constexpr std::uint64_t http_cache_bytes = 256ULL << 20;  // blocks a gateway keeps in memory
inline constexpr std::size_t gateway_fetchers = 16;              // threads of a gateway that wait for blocks
inline constexpr auto http_idle = 60s;                           // without a byte from or to a client
inline constexpr auto http_head_time = 15s;                      // for a request's line and headers
inline constexpr auto http_fetch_time = 30s;                     // for what a response needs next; then 504
inline constexpr auto http_grace = 5s;                           // for the answer after that
inline constexpr auto http_answer_time =
    http_fetch_time + http_grace;  // for a response to begin, or to go on
inline constexpr auto unknown_block_time =
    2s;                                      // a block that no node is said to hold is waited for; then 404
inline constexpr auto http_drain_time = 2s;  // for responses under way at a stop

}  // namespace cidbus::limits
