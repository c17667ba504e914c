// The identities of the project, each a type of its own so that none can stand where another is meant.
//
// Thread rule: values. Limits: a name has 1 to limits::name_length characters of [A-Za-z0-9._-].
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "shared/base/limits/words.h"

namespace cidbus {

// A 64-bit number with a meaning. Tag is never defined; it keeps Epoch and LogIndex apart.
template <typename Tag>
struct Number {
  std::uint64_t value = 0;
  friend constexpr auto operator<=>(const Number&, const Number&) = default;
};

using Epoch = Number<struct EpochTag>;  // a term of office; only ever grows; 0 before the first
using LogIndex =
    Number<struct LogIndexTag>;           // place of a record in the journal; the first is 1, 0 is before it
using TaskId = Number<struct TaskIdTag>;  // the LogIndex of the task's SUBMIT record; 0 is no task
using Incarnation =
    Number<struct IncarnationTag>;              // random at each start of a process: tells its restarts apart
using ClusterId = Number<struct ClusterIdTag>;  // hash of the cluster's name: cluster_id()
using RequestId =
    Number<struct RequestIdTag>;  // the asker's own number for a question; comes back in the answer

constexpr LogIndex next(LogIndex index) { return {index.value + 1}; }

// 128 random bits made by a client; names its session at any broker (CONSENSUS C2).
struct SessionId {
  std::array<std::uint8_t, 16> bytes{};
  friend constexpr auto operator<=>(const SessionId&, const SessionId&) = default;
};

// How a task id is printed and typed: "t" and the index in Crockford's base32, lower case: t1, ta, t4kq7.
std::string to_text(TaskId task);
std::optional<TaskId> parse_task_id(std::string_view text);

// Lower-case hexadecimal, 32 digits.
std::string to_text(const SessionId& session);
// Lower-case hexadecimal, 16 digits.
std::string to_text(Incarnation incarnation);

// FNV-1a, 64 bits, of the name (http://www.isthe.com/chongo/tech/comp/fnv/).
ClusterId cluster_id(std::string_view name);

// Whether the text may name a node, a cluster or a task type.
bool is_valid_name(std::string_view name);

// Mixes all bits of a 64-bit key (splitmix64's finalizer); for hash tables, never for anything on disk or
// wire.
constexpr std::uint64_t mix_bits(std::uint64_t key) {
  key = (key ^ (key >> 30)) * 0xbf58476d1ce4e5b9ULL;
  key = (key ^ (key >> 27)) * 0x94d049bb133111ebULL;
  return key ^ (key >> 31);
}

}  // namespace cidbus

template <typename Tag>
struct std::hash<cidbus::Number<Tag>> {
  std::size_t operator()(cidbus::Number<Tag> number) const noexcept { return cidbus::mix_bits(number.value); }
};

template <>
struct std::hash<cidbus::SessionId> {
  std::size_t operator()(const cidbus::SessionId& session) const noexcept;
};
