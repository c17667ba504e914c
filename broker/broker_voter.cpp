#include "broker/broker_voter.h"

#include <algorithm>

#include "shared/base/limits/config.h"

namespace cidbus {

std::vector<VoteRecord> BrokerVoter::due(Monotonic now, const ConfigBook& book, const VoterFacts& facts) {
  std::erase_if(said_, [&](const auto& said) {
    const auto open = book.open().find(said.first);
    return open == book.open().end() || !open->second.waiting.contains(name_);
  });
  std::vector<VoteRecord> votes;
  deadline_ = Monotonic::max();
  for (const auto& [id, ballot] : book.open()) {
    if (!ballot.waiting.contains(name_)) continue;
    auto said = said_.find(id);
    if (said == said_.end()) {
      const auto opinion = opinion_on(proposal_of(ballot, false), facts, book.values());
      if (!opinion) continue;  // it is left to a person
      said = said_.emplace(id, Said{*opinion, now}).first;
    }
    if (now >= said->second.again) {
      said->second.again = now + limits::vote_again;
      votes.push_back({id, said->second.opinion.yes, false, name_, said->second.opinion.reason});
    }
    deadline_ = std::min(deadline_, said->second.again);
  }
  return votes;
}

}  // namespace cidbus
