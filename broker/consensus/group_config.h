// Who belongs to the group, and what the group was told: the static list of `--group`.
//
// Members sit in the order of their names; a member's seat is its place in that order, the same at every
// broker that was given the same list. The hash of the list is in every message, so that brokers with
// different lists never take each other's word (CONSENSUS section 2). Adding and removing members by CONFIG
// records comes later: the seat is resolved here and nowhere else.
//
// Invariants
//  1. One to limits::brokers members, names all different, in order.
//  2. The majority is computed from the list and never configured.
//
// Thread rule: values. Limits: limits::brokers, limits::priority_most.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/consensus/timers.h"
#include "shared/base/limits/group.h"
#include "shared/core/client_messages.h"
#include "shared/core/group_messages.h"

namespace cidbus::group {

struct Member {
  std::string name;
  std::string endpoint;  // host:port of its bus, from which its other ports follow
  std::int32_t priority = 0;
};

class GroupConfig {
 public:
  // REQUIRES: 1 to limits::brokers members with different valid names, `self` among them, priorities from 0
  // to limits::priority_most.
  GroupConfig(std::vector<Member> members, std::string_view self);

  [[nodiscard]] std::size_t size() const { return members_.size(); }
  // D4: a new folder must not vote as if it knew what is committed. Of two, the other has all of it, and
  // could not lead without that vote.
  [[nodiscard]] bool new_is_unproven() const { return size() > 2; }
  [[nodiscard]] std::size_t majority() const { return members_.size() / 2 + 1; }
  [[nodiscard]] Seat self() const { return self_; }
  [[nodiscard]] const Member& at(Seat seat) const { return members_[place(seat)]; }
  [[nodiscard]] const std::vector<Member>& members() const { return members_; }
  [[nodiscard]] std::optional<Seat> find(std::string_view name) const;
  // FNV-1a, 64 bits, of names, endpoints and priorities in order.
  [[nodiscard]] std::uint64_t hash() const { return hash_; }

  Timers timers = lan_timers();
  Durability durability = Durability::Quorum;
  bool preempt = true;  // a returning broker of higher priority is handed the office (H1)
  // Batches in one APPEND; fewer only in a simulation, where more messages go wrong in more ways.
  std::size_t append_batches = limits::append_batches;
  std::size_t window_batches = limits::window_batches;
  std::size_t snapshot_piece = limits::snapshot_piece;  // likewise

 private:
  std::vector<Member> members_;
  Seat self_ = nobody;
  std::uint64_t hash_ = 0;
};

// "tolerates the loss of 1 of 3 brokers": what an operator is told at start (DESIGN section 5).
std::string tolerance_of(std::size_t members);

// A set of members.
class SeatSet {
 public:
  constexpr void add(Seat seat) { bits_ = static_cast<std::uint8_t>(bits_ | 1U << place(seat)); }
  constexpr void remove(Seat seat) { bits_ = static_cast<std::uint8_t>(bits_ & ~(1U << place(seat))); }
  constexpr void clear() { bits_ = 0; }
  constexpr void add(SeatSet other) { bits_ = static_cast<std::uint8_t>(bits_ | other.bits_); }
  [[nodiscard]] constexpr bool has(Seat seat) const {
    return seat != nobody && (bits_ >> place(seat) & 1U) != 0;
  }
  [[nodiscard]] constexpr std::size_t size() const {
    return static_cast<std::size_t>(__builtin_popcount(bits_));
  }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  friend constexpr bool operator==(SeatSet, SeatSet) = default;

 private:
  std::uint8_t bits_ = 0;
};

}  // namespace cidbus::group
