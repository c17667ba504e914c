// PeerRegistry: which data folder each broker of the group has (CONSENSUS D4).
//
// A folder gets an incarnation when it is made, at random. A broker that comes back with another one has lost
// its votes with its journal, and knows nothing of it: let in, it would vote a second time in an epoch, and
// for a leader that lacks what it once acknowledged. So it is not listened to by anyone who knew it before,
// and each side says so once.
//
// Known is what was heard since this process began: the group's list is static and names no disks. Rejected
// for now: to keep it on disk; without a way to replace a broker nobody could ever take a new disk then.
//
// Thread rule: pure; one owner. Limits: limits::brokers.
#pragma once

#include <array>

#include "shared/base/limits/group.h"
#include "shared/core/group_messages.h"

namespace cidbus {

class PeerRegistry {
 public:
  explicit PeerRegistry(group::BrokerIncarnation own) : own_(own) {}

  enum class Verdict : std::uint8_t {
    Fits,
    AnotherDisk,  // the sender had another folder before
    NotForMe,     // the sender means the folder that this broker had before
  };
  // Of a message's header; the first that is heard of a broker is what it has.
  [[nodiscard]] Verdict judge(group::Seat from, const group::GroupHeader& header) {
    constexpr group::BrokerIncarnation unknown{};
    if (header.to_incarnation != unknown && header.to_incarnation != own_) return Verdict::NotForMe;
    group::BrokerIncarnation& known = known_[group::place(from)];
    if (known == unknown) known = header.from_incarnation;
    return known == header.from_incarnation ? Verdict::Fits : Verdict::AnotherDisk;
  }
  // Zeros while nothing was heard.
  [[nodiscard]] group::BrokerIncarnation of(group::Seat seat) const { return known_[group::place(seat)]; }
  // Whether to say so: once a broker and verdict.
  [[nodiscard]] bool is_news(group::Seat from, Verdict verdict) {
    const auto bit = static_cast<std::uint8_t>(1U << static_cast<unsigned>(verdict));
    std::uint8_t& said = said_[group::place(from)];
    return (said & bit) == 0 && (said = static_cast<std::uint8_t>(said | bit)) != 0;
  }

 private:
  group::BrokerIncarnation own_;
  std::array<group::BrokerIncarnation, limits::brokers> known_{};
  std::array<std::uint8_t, limits::brokers> said_{};
};

}  // namespace cidbus
