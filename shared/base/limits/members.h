// Members of the cluster: where what is kept of them stops. What limits are for: README.md, here.
#pragma once

#include <cstddef>

namespace cidbus::limits {

inline constexpr std::size_t labels_a_node = 16;
inline constexpr std::size_t member_changes_kept = 1000;  // by a leader, in its office; the newest
inline constexpr std::size_t member_changes_an_answer = 500;

}  // namespace cidbus::limits
