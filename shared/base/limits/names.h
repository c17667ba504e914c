// Names of content, and their tags: where each of them stops. What limits are for: README.md, here.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cidbus::limits {

inline constexpr std::size_t content_name_bytes = 255;  // of a name, of a pattern for names, of a tag's value
inline constexpr std::size_t tags_a_name = 16;
inline constexpr std::size_t content_names = 100'000;  // a cluster keeps
inline constexpr std::uint64_t content_names_bytes = 16ULL
                                                     << 20;      // of them, written to a snapshot in one turn
inline constexpr std::size_t names_on_the_way = 1000;            // proposed, not yet applied
inline constexpr std::uint64_t names_answer_bytes = 1ULL << 20;  // of one answer, about
inline constexpr std::size_t names_looked_at = 5000;  // for one answer; the asker goes on from there

}  // namespace cidbus::limits
