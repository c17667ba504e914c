// A node's links to its brokers: where each of them stops. What limits are for: README.md, here.
#pragma once

#include <chrono>
#include <cstddef>

namespace cidbus::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t brokers_known = 16;  // learned from brokers, a cluster
inline constexpr auto listen_after = 500ms;       // bound for so long, a link hears the feed's leader events
inline constexpr auto silence_told_after = 5s;    // that no broker answers
inline constexpr auto silence_told_every = 60s;   // again
inline constexpr auto status_answer_time = 1000ms;  // a broker asked for its status gets this long

}  // namespace cidbus::limits
