// A broker's own votes on what it finds in the journal: what is due to be said, until it is recorded.
//
// Standby or leader, a broker votes as any node with a vote does (shared/node/opinion.h). What a standby says
// to the leader may be lost, and the leader may die with it; so it is said again until the journal has it.
//
// Thread rule: pure; one owner. Limits: limits::proposals_open.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "broker/cluster/config_book.h"
#include "shared/base/time.h"
#include "shared/node/opinion.h"

namespace cidbus {

class BrokerVoter {
 public:
  explicit BrokerVoter(std::string name) : name_(std::move(name)) {}

  // Votes to be said now. The reasons live until the next call.
  std::vector<VoteRecord> due(Monotonic now, const ConfigBook& book, const VoterFacts& facts);
  // When to ask again at the latest, while nothing is applied.
  [[nodiscard]] Monotonic deadline() const { return deadline_; }

 private:
  struct Said {
    Opinion opinion;
    Monotonic again;
  };
  std::string name_;
  std::map<std::uint64_t, Said> said_;  // by proposal; those that wait for this broker's vote
  Monotonic deadline_ = Monotonic::max();
};

}  // namespace cidbus
