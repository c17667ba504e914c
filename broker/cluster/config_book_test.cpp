#include "broker/cluster/config_book.h"

#include <gtest/gtest.h>

#include "shared/base/limits/config.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;
using Answer = ConfigBook::Answer;

class ConfigBookTest : public ::testing::Test {
 protected:
  std::uint64_t propose(std::string_view key, std::int64_t value,
                        std::vector<std::string_view> voters = {"b1", "b2", "b3", "w1", "w2"}) {
    ProposeRecord record{++token, ProposalKind::ConfigChange, key, value, "anna", 60s, std::move(voters)};
    return book.propose(record, WallTime{1000});
  }
  Answer vote(std::uint64_t id, std::string_view voter, bool yes, std::string_view reason = {}) {
    return book.vote({id, yes, false, voter, reason});
  }
  bool decide(std::uint64_t id, ProposalStatus status) { return book.decide({id, status}, WallTime{2000}); }
  // Loaded from what the book writes.
  [[nodiscard]] ConfigBook copy() const {
    Bytes bytes;
    book.write(bytes);
    ConfigBook loaded;
    EXPECT_TRUE(loaded.read(bytes));
    loaded.check_invariants();
    Bytes again;
    loaded.write(again);
    EXPECT_EQ(bytes, again);
    return loaded;
  }
  void TearDown() override {
    book.check_invariants();
    static_cast<void>(copy());
  }

  ConfigBook book;
  std::uint64_t token = 0;
};

TEST_F(ConfigBookTest, AMajorityOfThoseWithAVoteAccepts) {
  const auto id = propose("lease_length", 10'000);
  EXPECT_EQ(book.find(id)->deadline, WallTime{61'000});
  EXPECT_EQ(vote(id, "b1", true), Answer::Counted);
  EXPECT_EQ(vote(id, "w1", false, "no"), Answer::Counted);
  EXPECT_EQ(vote(id, "w2", true), Answer::Counted);
  EXPECT_EQ(book.find(id)->count(), ProposalStatus::Pending) << "two of five";
  EXPECT_EQ(vote(id, "b3", true), Answer::Counted);
  EXPECT_EQ(book.find(id)->count(), ProposalStatus::Accepted);
  EXPECT_EQ(book.version(), 0U) << "until the decision is a record";
  EXPECT_TRUE(decide(id, ProposalStatus::Accepted));
  EXPECT_EQ(book.version(), 1U);
  EXPECT_EQ(book.values().of(ConfigKey::LeaseLength), 10'000);
  EXPECT_EQ(book.entries().at("lease_length").since, WallTime{2000});
}

TEST_F(ConfigBookTest, ItIsLostOnceNoMajorityCanBeHad) {
  const auto four = propose("lease_length", 10'000, {"b1", "b2", "w1", "w2"});
  vote(four, "b1", false);
  EXPECT_EQ(book.find(four)->count(), ProposalStatus::Pending);
  vote(four, "b2", false);
  EXPECT_EQ(book.find(four)->count(), ProposalStatus::Rejected) << "two of four can be no majority";
  const auto nobody = propose("node_timeout", 10'000, {});
  EXPECT_EQ(book.find(nobody)->count(), ProposalStatus::Rejected);
  EXPECT_TRUE(decide(four, ProposalStatus::Rejected));
  EXPECT_EQ(book.version(), 0U);
  EXPECT_TRUE(book.entries().empty());
}

TEST_F(ConfigBookTest, ALoneNodesProposalIsDecidedByItsOwnVote) {
  const auto id = propose("lease_length", 10'000, {"b1"});
  EXPECT_EQ(book.find(id)->count(), ProposalStatus::Pending);
  vote(id, "b1", true);
  EXPECT_EQ(book.find(id)->count(), ProposalStatus::Accepted);
}

TEST_F(ConfigBookTest, OneVoteEachAndNoneForStrangers) {
  const auto id = propose("lease_length", 10'000);
  EXPECT_EQ(vote(id, "w3", true), Answer::Stranger) << "it came after the proposal";
  EXPECT_EQ(vote(id, "w1", true), Answer::Counted);
  EXPECT_EQ(vote(id, "w1", true), Answer::Repeated) << "as after a new leader";
  EXPECT_EQ(vote(id, "w1", false), Answer::Double);
  EXPECT_EQ(vote(99, "w1", true), Answer::Unknown);
  EXPECT_EQ(book.find(id)->yes, 1U);
  decide(id, ProposalStatus::Expired);
  EXPECT_EQ(vote(id, "w2", true), Answer::Closed);
}

TEST_F(ConfigBookTest, ItIsDecidedOnceWhoeverDecides) {
  const auto id = propose("lease_length", 10'000, {"b1"});
  vote(id, "b1", true);
  EXPECT_TRUE(decide(id, ProposalStatus::Accepted));
  EXPECT_FALSE(decide(id, ProposalStatus::Accepted)) << "of the leader that died, or of the next one";
  EXPECT_FALSE(decide(id, ProposalStatus::Expired));
  EXPECT_EQ(book.version(), 1U);
}

TEST_F(ConfigBookTest, AProposalSentAgainIsTheSameOne) {
  const ProposeRecord record{7, ProposalKind::ConfigChange, "lease_length", 10'000, "anna", 60s, {"b1"}};
  const auto id = book.propose(record, WallTime{1});
  EXPECT_EQ(book.propose(record, WallTime{2}), id);
  decide(id, ProposalStatus::Expired);
  EXPECT_EQ(book.propose(record, WallTime{3}), id) << "also when it is decided";
}

TEST_F(ConfigBookTest, OneProposalAboutASubjectIsOpenAtATime) {
  const auto id = propose("lease_length", 10'000);
  EXPECT_EQ(propose("lease_length", 20'000), 0U);
  EXPECT_NE(propose("node_timeout", 20'000), 0U);
  decide(id, ProposalStatus::Expired);
  EXPECT_NE(propose("lease_length", 20'000), 0U);
}

TEST_F(ConfigBookTest, AnOldValueComesBackByBeingProposed) {
  for (const std::int64_t value : {10'000, 20'000, 10'000}) {
    const auto id = propose("lease_length", value, {"b1"});
    vote(id, "b1", true);
    decide(id, ProposalStatus::Accepted);
  }
  EXPECT_EQ(book.version(), 3U);
  EXPECT_EQ(book.values().of(ConfigKey::LeaseLength), 10'000);
  EXPECT_EQ(book.decided().size(), 3U);
}

TEST_F(ConfigBookTest, ANameIsForbiddenAndLetInAgain) {
  ProposeRecord record{1, ProposalKind::MembershipChange, "w1", 1, "anna", 60s, {"b1"}};
  const auto forbid = book.propose(record, WallTime{1});
  vote(forbid, "b1", true);
  decide(forbid, ProposalStatus::Accepted);
  EXPECT_TRUE(book.forbidden().contains("w1"));
  EXPECT_TRUE(copy().forbidden().contains("w1"));
  record.token = 2;
  record.value = 0;
  const auto admit = book.propose(record, WallTime{2});
  vote(admit, "b1", true);
  decide(admit, ProposalStatus::Accepted);
  EXPECT_FALSE(book.forbidden().contains("w1"));
}

TEST_F(ConfigBookTest, OldDecisionsAreForgottenAndTheirValuesStay) {
  for (std::size_t count = 0; count < limits::proposals_kept + 10; ++count) {
    const auto id = propose("finished_kept", static_cast<std::int64_t>(count + 1), {"b1"});
    vote(id, "b1", true);
    decide(id, ProposalStatus::Accepted);
  }
  EXPECT_EQ(book.decided().size(), limits::proposals_kept);
  EXPECT_EQ(book.find(1), nullptr);
  EXPECT_EQ(book.version(), limits::proposals_kept + 10);
}

TEST_F(ConfigBookTest, OfADecidedProposalTheReasonsAgainstItAreKept) {
  std::vector<std::string> names;
  for (int count = 100; count < 120; ++count) names.push_back("w" + std::to_string(count));
  const auto id = propose("lease_length", 10'000, {names.begin(), names.end()});
  vote(id, names[0], true);
  for (std::size_t place = 1; place < names.size(); ++place) vote(id, names[place], false, "I cannot");
  decide(id, ProposalStatus::Rejected);
  const Proposal told = proposal_of(*book.find(id), true);
  EXPECT_EQ(told.no, 19U);
  EXPECT_EQ(told.votes.size(), limits::objections_kept);
  EXPECT_EQ(told.votes[0].reason, "I cannot");
  EXPECT_TRUE(told.waiting.empty());
}

TEST_F(ConfigBookTest, BytesThatAreNoBookAreRefused) {
  const auto id = propose("lease_length", 10'000);
  vote(id, "w1", false, "no");
  decide(propose("node_timeout", 20'000, {"b1"}), ProposalStatus::Expired);
  Bytes bytes;
  book.write(bytes);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    ConfigBook cut;
    EXPECT_FALSE(cut.read(ByteView(bytes).first(length))) << length;
  }
  for (std::size_t place = 0; place < bytes.size(); ++place) {
    Bytes damaged = bytes;
    damaged[place] ^= 0x5a;
    ConfigBook read;
    if (read.read(damaged)) read.check_invariants();
  }
}

TEST(ConfigRecords, ARecordDecodesToWhatWasEncoded) {
  Bytes bytes;
  encode(ProposeRecord{7, ProposalKind::MembershipChange, "w1", 1, "anna", 60s, {"b1", "b2"}}, bytes);
  ProposeRecord propose;
  ASSERT_TRUE(decode(bytes, propose));
  EXPECT_EQ(propose.token, 7U);
  EXPECT_EQ(propose.kind, ProposalKind::MembershipChange);
  EXPECT_EQ(propose.subject, "w1");
  EXPECT_EQ(propose.value, 1);
  EXPECT_EQ(propose.proposer, "anna");
  EXPECT_EQ(propose.deadline, 60s);
  EXPECT_EQ(propose.voters, (std::vector<std::string_view>{"b1", "b2"}));
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(decode(ByteView(bytes).first(length), propose)) << length;

  bytes.clear();
  encode(VoteRecord{3, true, true, "w1", "by hand"}, bytes);
  VoteRecord vote;
  ASSERT_TRUE(decode(bytes, vote));
  EXPECT_TRUE(vote.proposal == 3 && vote.yes && vote.by_person && vote.voter == "w1");
  EXPECT_EQ(vote.reason, "by hand");

  bytes.clear();
  encode(DecideRecord{3, ProposalStatus::Rejected}, bytes);
  DecideRecord decision;
  ASSERT_TRUE(decode(bytes, decision));
  EXPECT_TRUE(decision.proposal == 3 && decision.status == ProposalStatus::Rejected);
  bytes.back() = 0;
  EXPECT_FALSE(decode(bytes, decision)) << "pending is no decision";
}

}  // namespace
}  // namespace cidbus
