// How a node votes by itself: against what it cannot do, with its reason, and otherwise for it, unless that
// is left to a person.
//
// Thread rule: a function of its arguments. Limits: a reason has limits::vote_reason_length bytes at most.
#pragma once

#include <optional>
#include <string>

#include "shared/core/config_messages.h"
#include "shared/node/config_keys.h"

namespace cidbus {

// What a node knows of itself.
struct VoterFacts {
  Role role = Role::Worker;
  bool by_hand = false;        // its owner wants to be asked: it objects by itself, and never agrees
  bool short_of_room = false;  // of a broker: its disk is at the mark where new work is refused
};
struct Opinion {
  bool yes = false;
  std::string reason = {};  // why not
  friend bool operator==(const Opinion&, const Opinion&) = default;
};

// `in_force`: what the proposal would change. Nothing: it is for a person to say.
std::optional<Opinion> opinion_on(const Proposal& proposal, const VoterFacts& facts,
                                  const ConfigValues& in_force);

}  // namespace cidbus
