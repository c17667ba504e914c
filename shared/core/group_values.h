// What the brokers of a group speak of: places in a log, ranks, members, batches.
//
// Thread rule: values; a batch never changes, so any thread may read it. Limits: limits/group.h.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>

#include "shared/base/bytes.h"
#include "shared/base/ids.h"

namespace cidbus::group {

// A broker's place in the group's list of members, which every message pins by its hash.
enum class Seat : std::uint8_t {};
inline constexpr Seat nobody{255};
constexpr std::size_t place(Seat seat) { return static_cast<std::size_t>(seat); }

// A place in a log: the record at `index`, made in the office of `epoch`. Two logs that hold the same
// position are equal up to it (I2). Ordered as log ranks are.
struct LogPosition {
  Epoch epoch;
  LogIndex index;
  friend constexpr auto operator<=>(const LogPosition&, const LogPosition&) = default;
};

// The bully order: the journal decides first, then the configured priority, then the name (CONSENSUS
// section 1). The greater outranks.
struct Rank {
  LogPosition log;
  std::int32_t priority = 0;  // -1 while the broker is unfit
  Seat seat = nobody;         // seats are in the order of names
  friend constexpr auto operator<=>(const Rank&, const Rank&) = default;
};

// Given to a data directory when it is made, at random: a wiped disk is another broker (CONSENSUS D4).
struct BrokerIncarnation {
  std::array<std::uint8_t, 16> bytes{};
  friend constexpr auto operator<=>(const BrokerIncarnation&, const BrokerIncarnation&) = default;
};

// A batch as it lies in the journal. Shared because the disk's queue, every peer's window and the state
// machine hold the same bytes at once; they never change.
using SharedBatch = std::shared_ptr<const Bytes>;

// Of the state after a record: equal states have equal ones.
struct StateDigest {
  LogIndex index;  // 0: there is none; so says a broker that knows nothing of them
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const StateDigest&, const StateDigest&) = default;
};

}  // namespace cidbus::group
