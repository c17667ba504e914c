#include "shared/node/node_voter.h"

#include <algorithm>

namespace cidbus {

std::vector<CastVote> NodeVoter::on_configuration(const Configuration& configuration,
                                                  std::vector<std::string>& reasons) {
  std::erase_if(said_, [&](std::uint64_t id) {
    return std::none_of(configuration.open.begin(), configuration.open.end(),
                        [&](const Proposal& proposal) { return proposal.id == id; });
  });
  ConfigValues in_force;
  in_force.take(configuration.entries);
  std::vector<CastVote> votes;
  reasons.reserve(configuration.open.size());  // views into it are given out
  for (const Proposal& proposal : configuration.open) {
    if (said_.contains(proposal.id)) continue;
    auto opinion = opinion_on(proposal, facts_, in_force);
    if (!opinion) continue;
    said_.insert(proposal.id);
    reasons.push_back(std::move(opinion->reason));
    votes.push_back({{}, proposal.id, {}, opinion->yes, reasons.back()});
  }
  return votes;
}

}  // namespace cidbus
