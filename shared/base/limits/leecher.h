// A leecher: where its cache, its outbox and its desk stop. What limits are for: README.md, here.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace cidbus::limits {

using namespace std::chrono_literals;

inline constexpr std::uint64_t leecher_cache_bytes = 10'000'000'000;   // of blocks, DESIGN section 8
inline constexpr std::uint64_t leecher_outbox_bytes = 10'000'000'000;  // of blocks added while cut off
inline constexpr std::uint64_t leecher_memory_bytes = 64ULL << 20;     // of blocks its HTTP keeps in memory
inline constexpr std::size_t leecher_fetchers = 4;  // threads that wait for blocks for HTTP
inline constexpr std::size_t pull_wants = 4096;     // blocks being fetched for who asked here
inline constexpr std::size_t pins_a_leecher = 10'000;
inline constexpr auto pin_retry = 5s;                   // between two tries of a pin that is not whole
inline constexpr std::size_t outbox_waiting = 100'000;  // items not handed in
inline constexpr std::uint64_t outbox_waiting_bytes = 256ULL << 20;  // of their work
inline constexpr auto outbox_key_ttl = 30 * 24h;       // CONSENSUS C3: in brokers, after the task has ended
inline constexpr std::size_t outbox_settled = 10'000;  // handed in or refused, and still told of
inline constexpr std::size_t outbox_settled_most =
    200'000;  // the same, with those a session may ask again for
inline constexpr std::uint64_t outbox_file_bytes = 64ULL << 20;  // before it is written anew, if half is past
inline constexpr std::size_t outbox_told = 100;                  // items that `status` lists
inline constexpr auto outbox_answer_time = 2s;    // for a broker's word on a submission; then the item's name
inline constexpr std::size_t desk_guests = 1000;  // connections to a leecher's bus
inline constexpr std::size_t desk_sessions = 10'000;             // of those, and of those that may come back
inline constexpr std::size_t desk_questions = 100'000;           // passed on to the leader, or waiting
inline constexpr std::uint64_t desk_result_bytes = 64ULL << 20;  // of results not yet acknowledged

}  // namespace cidbus::limits
