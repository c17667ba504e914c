#include "shared/node/opinion.h"

#include <gtest/gtest.h>

namespace cidbus {
namespace {

Proposal change(std::string_view key, std::int64_t value) {
  Proposal proposal;
  proposal.id = 1;
  proposal.subject = key;
  proposal.value = value;
  return proposal;
}

TEST(Opinion, IsForWhatTheNodeCanDo) {
  EXPECT_TRUE(opinion_on(change("lease_length", 10'000), {}, {})->yes);
  Proposal forbid = change("w1", 1);
  forbid.kind = ProposalKind::MembershipChange;
  EXPECT_TRUE(opinion_on(forbid, {}, {})->yes);
}

TEST(Opinion, IsAgainstWhatThisVersionDoesNotKnowOrTake) {
  const auto unknown = opinion_on(change("of_tomorrow", 1), {}, {});
  EXPECT_FALSE(unknown->yes);
  EXPECT_EQ(unknown->reason, "this version knows no key of_tomorrow");
  const auto beyond = opinion_on(change("lease_length", 1), {.by_hand = true}, {});
  EXPECT_FALSE(beyond->yes) << "by hand or not";
  EXPECT_EQ(beyond->reason, "this version takes lease_length from 3s to 1h, not 1ms");
}

TEST(Opinion, OfABrokerShortOfRoomIsAgainstMoreJournal) {
  ConfigValues now;
  now.set(ConfigKey::SnapshotAfter, 512 << 20);
  const auto full = opinion_on(change("snapshot_after", 1 << 30), {Role::Master, false, true}, now);
  EXPECT_FALSE(full->yes);
  EXPECT_NE(full->reason, "");
  EXPECT_TRUE(opinion_on(change("snapshot_after", 256 << 20), {Role::Master, false, true}, now)->yes)
      << "less frees some";
  EXPECT_TRUE(opinion_on(change("snapshot_after", 512 << 20), {Role::Master, false, true}, now)->yes);
  EXPECT_TRUE(opinion_on(change("snapshot_after", 1 << 30), {Role::Worker, false, true}, {})->yes);
  EXPECT_TRUE(opinion_on(change("lease_length", 10'000), {Role::Master, false, true}, {})->yes);
}

TEST(Opinion, ByHandNobodyAgreesBeforeAPersonDoes) {
  EXPECT_EQ(opinion_on(change("lease_length", 10'000), {.by_hand = true}, {}), std::nullopt);
}

}  // namespace
}  // namespace cidbus
