// Whether the leader can hand its office over as it was asked to, and why not.
//
// Thread rule: pure. Limits: none.
#pragma once

#include <string>
#include <string_view>

#include "broker/consensus/group.h"
#include "shared/core/broker_messages.h"

namespace cidbus {

struct HandoverCheck {
  bool may_begin = false;
  // Otherwise the answer. Done: the one asked for leads already.
  HandoverOutcome outcome = HandoverOutcome::Done;
  std::string reason;
  group::Seat successor = group::nobody;  // nobody: the best one
};

// `to`: a broker's name, or empty. REQUIRES: group.serving().
HandoverCheck check_handover(const group::Group& group, Monotonic now, std::string_view to);

}  // namespace cidbus
