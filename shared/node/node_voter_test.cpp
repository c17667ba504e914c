#include "shared/node/node_voter.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

Configuration with_open(std::vector<std::uint64_t> ids, std::string_view key = "lease_length") {
  Configuration configuration;
  for (const std::uint64_t id : ids) {
    Proposal proposal;
    proposal.id = id;
    proposal.subject = key;
    proposal.value = 10'000;
    configuration.open.push_back(proposal);
  }
  return configuration;
}

TEST(NodeVoter, VotesOnceAProposalAndLeader) {
  NodeVoter voter({});
  std::vector<std::string> reasons;
  EXPECT_EQ(voter.on_configuration(with_open({1}), reasons).size(), 1U);
  EXPECT_TRUE(voter.on_configuration(with_open({1}), reasons).empty()) << "told again, at another change";
  const auto second = voter.on_configuration(with_open({1, 2}), reasons);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].proposal, 2U);
  EXPECT_TRUE(second[0].yes);
  voter.on_bound();
  EXPECT_EQ(voter.on_configuration(with_open({2}), reasons).size(), 1U) << "the next leader may not know";
}

TEST(NodeVoter, SaysWhyNot) {
  NodeVoter voter({.by_hand = true});
  std::vector<std::string> reasons;
  const auto votes = voter.on_configuration(with_open({1, 2}, "of_tomorrow"), reasons);
  ASSERT_EQ(votes.size(), 2U);
  for (const CastVote& vote : votes) {
    EXPECT_FALSE(vote.yes);
    EXPECT_EQ(vote.reason, "this version knows no key of_tomorrow");
  }
  EXPECT_TRUE(voter.on_configuration(with_open({3}), reasons).empty()) << "for a person to say";
}

}  // namespace
}  // namespace cidbus
