// Periods, leases and timeouts: where each of them stops. What limits are for: README.md, here.
#pragma once

#include <chrono>

namespace cidbus::limits {

using namespace std::chrono_literals;

inline constexpr auto backoff_most = 1h;    // between two tries of a task
inline constexpr auto lease = 30s;          // CONSENSUS W2
inline constexpr auto reclaim = 1s;         // CONSENSUS W1
inline constexpr auto lazy_records = 10ms;  // CONSENSUS W1
inline constexpr auto probe_every = 100ms;  // of all connections, after one of them broke
inline constexpr auto heartbeat = 1s;       // DESIGN section 8, the binaries' default
inline constexpr auto node_timeout = 5s;
inline constexpr auto provider_silence = 2s;  // asked for blocks, says nothing: another one is asked
inline constexpr auto target_silence = 10s;   // given blocks to store, says nothing: given up
inline constexpr auto reconnect_grace = 1s;   // CONSENSUS W3: a broken connection may return within it
inline constexpr auto session_ttl = 1h;       // CONSENSUS C2
inline constexpr auto key_ttl = 24h;          // CONSENSUS C3
inline constexpr auto result_ttl = 7 * 24h;   // CONSENSUS C4

}  // namespace cidbus::limits
