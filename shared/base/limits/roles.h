// Roles and what nodes move of themselves: where each of it stops. What limits are for: README.md, here.
#pragma once

#include <chrono>
#include <cstddef>

namespace cidbus::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t moves_kept = 64;      // by a node, the newest; and by the leader of each
inline constexpr std::size_t settings_moved = 16;  // numbers that a node moves of itself
inline constexpr std::size_t move_text = 64;       // bytes of a name or a value
inline constexpr std::size_t move_reason = 255;    // bytes; longer ones are cut
inline constexpr std::size_t roles_a_node = 5;     // that it is told how well it can carry
inline constexpr std::size_t role_changes = 100;   // asked for and not over, at a leader
inline constexpr auto role_report_every = 30s;     // of a node, beside each change

}  // namespace cidbus::limits
