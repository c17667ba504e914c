// Why something was refused, as a reason a program can act on.
//
// Thread rule: values. Limits: none.
#pragma once

#include <cstdint>
#include <string_view>

namespace cidbus {

enum class Refusal : std::uint8_t {
  WrongVersion,
  WrongCluster,
  NameTaken,  // a live node has this name under another incarnation
  BadMessage,
  NotAllowed,  // not for this role
  NotLeader,
  SessionExpired,  // CONSENSUS C3
  Exhausted,       // a limit, or the disk: try again after retry_after
  NotKnown,        // the broker does not know the sender: say hello again
};
inline constexpr std::size_t refusal_count = static_cast<std::size_t>(Refusal::NotKnown) + 1;
std::string_view to_text(Refusal refusal);

}  // namespace cidbus
