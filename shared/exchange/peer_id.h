// Which of its peers a node means: a number it gives to each block exchange it has heard of.
//
// Thread rule: a value. Limits: none.
#pragma once

#include <compare>
#include <cstdint>

namespace cidbus {

struct PeerId {
  std::uint32_t value = 0;
  friend constexpr auto operator<=>(const PeerId&, const PeerId&) = default;
};

}  // namespace cidbus
