// The name of what waits in a leecher's outbox: a number among the task ids that no journal ever reaches.
//
// Who submits through a leecher that is cut off is given such a name instead of a task id, and may use it at
// that leecher wherever a task id may stand. Its text is "o" and the number (ids.h).
//
// Thread rule: values. Limits: 63 bits.
#pragma once

#include <string_view>

#include "shared/base/ids.h"

namespace cidbus {

// The idempotency keys that leechers make begin so; brokers keep them for limits::outbox_key_ttl.
inline constexpr std::string_view outbox_key_prefix = "outbox/";

inline constexpr std::uint64_t outbox_bit = std::uint64_t{1} << 63;

constexpr bool is_outbox_item(TaskId id) { return (id.value & outbox_bit) != 0; }
// The `number`-th item of an outbox, from 1.
constexpr TaskId outbox_item(std::uint64_t number) { return {number | outbox_bit}; }
constexpr std::uint64_t outbox_number(TaskId id) { return id.value & ~outbox_bit; }

}  // namespace cidbus
