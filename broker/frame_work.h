// What a frame costs to serve, so that a turn reads as much as it can serve in its time and no more.
//
// The unit is about a microsecond: an item of a list, or a kilobyte read or sent. A frame may hold one item
// or four thousand, and a question of a few bytes may be answered with megabytes: counting frames says
// nothing.
//
// Thread rule: pure. Limits: limits::work_a_turn.
#pragma once

#include <cstddef>

#include "shared/core/message.h"

namespace cidbus {

constexpr std::size_t bytes_a_unit = 1024;

// Of what it asks for, without its bytes and without those of the answer.
std::size_t work_of(const Message& message);

}  // namespace cidbus
