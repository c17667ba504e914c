// A node's own votes on what its leader says is open: one a proposal and leader.
//
// What was said to a leader that died is said to the next one; a vote that was counted already changes
// nothing there.
//
// Thread rule: pure; one owner. Limits: limits::proposals_open.
#pragma once

#include <set>
#include <vector>

#include "shared/node/opinion.h"

namespace cidbus {

class NodeVoter {
 public:
  explicit NodeVoter(const VoterFacts& facts) : facts_(facts) {}

  // Another leader, which has heard nothing of this node yet.
  void on_bound() { said_.clear(); }
  // Votes to be sent now; `reasons` is where their reasons live.
  std::vector<CastVote> on_configuration(const Configuration& configuration,
                                         std::vector<std::string>& reasons);

 private:
  VoterFacts facts_;
  std::set<std::uint64_t> said_;  // proposals that are open
};

}  // namespace cidbus
