// Configuration by vote: where its parts stop. What limits are for: README.md, here.
#pragma once

#include <chrono>
#include <cstddef>

namespace cidbus::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t proposals_open = 16;        // at once; further ones are refused
inline constexpr std::size_t proposals_kept = 200;       // decided ones; the oldest are forgotten first
inline constexpr std::size_t objections_kept = 8;        // of a decided proposal: votes that have a reason
inline constexpr std::size_t voters = 4100;              // of a proposal: limits::members, and the brokers
inline constexpr std::size_t names_forbidden = 1000;     // of nodes
inline constexpr std::size_t config_keys = 256;          // a state holds, those of other versions included
inline constexpr std::size_t config_value_length = 64;   // characters of a value as people write it
inline constexpr std::size_t vote_reason_length = 255;   // bytes; longer ones are cut
inline constexpr std::size_t proposals_an_answer = 100;  // a page
inline constexpr std::size_t proposal_waiters = 1000;    // questions that wait for a decision
inline constexpr auto proposal_deadline_least = 1s;
inline constexpr auto proposal_deadline_most = 30 * 24h;
inline constexpr auto vote_again = 500ms;  // a standby's vote that is not recorded yet is sent again

}  // namespace cidbus::limits
