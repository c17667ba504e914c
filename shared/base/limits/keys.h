// Keys and the allow-list: where each of them stops. What limits are for: README.md, here.
#pragma once

#include <chrono>
#include <cstddef>

namespace cidbus::limits {

using namespace std::chrono_literals;

inline constexpr std::size_t allow_list_bytes = 1 << 20;  // of the file: about 10,000 keys
inline constexpr std::size_t key_file_bytes = 4096;       // of a private key's file
inline constexpr std::size_t key_text = 40;               // characters of a key in Z85
inline constexpr std::size_t key_name_length =
    55;  // of a name in the allow-list: a node's clients add "." and eight characters to it
inline constexpr auto allow_list_every = 100ms;  // the file is looked at for changes
inline constexpr auto greet_again = 200ms;       // a peer that did not take our key, or we not its

}  // namespace cidbus::limits
