#include "broker/tasks/config_service.h"

#include <gtest/gtest.h>

#include <optional>

#include "shared/base/limits/config.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;

// A state and the journal before it, which leaders share: what one has proposed and not seen applied may be
// lost with it, or applied by the next.
struct Shared {
  StateMachine state;
  std::uint64_t index = 0;
  std::vector<std::pair<RecordType, Bytes>> on_the_way;
};

class Leader : public Output {
 public:
  Leader(Shared& shared, Now at) : shared_(shared), now(at) { service.take_office(now, shared.state); }

  LogIndex propose(RecordType type, ByteView payload, Urgency) override {
    shared_.on_the_way.emplace_back(type, to_bytes(payload));
    return {shared_.index + shared_.on_the_way.size()};
  }
  void send(Peer peer, const Message& message) override {
    if (peer == Peer::Nobody) return;
    last_refusal.clear();
    last.reset();
    if (const auto* refused = std::get_if<Refused>(&message)) last_refusal = refused->reason;
    const auto* answer = std::get_if<Proposals>(&message);
    if (answer != nullptr) count = answer->proposals.size();
    if (answer != nullptr && !answer->proposals.empty()) {
      const Proposal& proposal = answer->proposals.front();
      last = {proposal.id, proposal.status, proposal.yes, proposal.no, proposal.eligible};
    }
    ++answers;
  }
  void event(const TaskEvent&) override {}

  // The next `most` records that are on their way are committed.
  void commit(std::size_t most = 100) {
    for (; most > 0 && !shared_.on_the_way.empty(); --most) {
      const auto [type, payload] = shared_.on_the_way.front();
      shared_.on_the_way.erase(shared_.on_the_way.begin());
      Changes changes;
      shared_.state.apply({++shared_.index}, now.wall, type, payload, changes);
      shared_.state.check_invariants();
      service.on_applied(now, changes);
    }
  }
  void propose(std::string_view key, std::string_view value, std::uint64_t token,
               std::chrono::milliseconds deadline = 10s) {
    service.on_message(now, anna, "anna", Role::Client,
                       Propose{{1}, token, ProposalKind::ConfigChange, key, value, deadline});
  }
  void forbid(std::string_view name, std::string_view what, std::uint64_t token) {
    service.on_message(now, anna, "anna", Role::Client,
                       Propose{{1}, token, ProposalKind::MembershipChange, name, what, 10s});
  }
  void vote(std::string_view node, bool yes, std::uint64_t id = 1) {
    service.on_message(now, Peer{7}, node, Role::Worker, CastVote{{}, id, {}, yes, {}});
  }
  void vote_by_hand(std::string_view node, bool yes, std::uint64_t id = 1) {
    service.on_message(now, anna, "anna", Role::Client, CastVote{{2}, id, node, yes, "by hand"});
  }
  void broker_votes(std::string_view broker, bool yes, std::uint64_t id = 1) {
    service.on_broker_vote(broker, {id, yes, false, {}, {}});
  }
  void wait_for(std::uint64_t id) {
    service.on_message(now, anna, "anna", Role::Client, ProposalsRequest{{3}, id, true, false, 0});
  }
  void let_pass(std::chrono::milliseconds time) {
    now.monotonic += time;
    now.wall = now.wall + time;
    service.tick(now);
  }

  struct Told {
    std::uint64_t id = 0;
    ProposalStatus status = ProposalStatus::Pending;
    std::uint32_t yes = 0, no = 0, eligible = 0;
  };
  static constexpr Peer anna{3};
  Shared& shared_;
  Now now;
  std::vector<std::string> voters{"b1", "b2", "b3", "w1", "w2"};
  ConfigService service{*this, [this] { return voters; },
                        [](std::string_view name) { return name.starts_with("b"); },
                        [](std::string_view node, Role) {
                          return node == "w1" ? std::string() : "'" + std::string(node) + "' changes no role";
                        }};
  std::optional<Told> last;
  std::string last_refusal;
  std::size_t answers = 0;
  std::size_t count = 0;
};

class ConfigServiceTest : public ::testing::Test {
 protected:
  const ConfigBook& book() const { return shared.state.config(); }
  // The leader dies; `kept` of what it had on the way are committed under the next one.
  void change_leader(std::size_t kept) {
    shared.on_the_way.resize(std::min(kept, shared.on_the_way.size()));
    const Now now = leader->now;
    auto left = std::exchange(shared.on_the_way, {});
    for (const auto& [type, payload] : left) {
      Changes changes;
      shared.state.apply({++shared.index}, now.wall, type, payload, changes);
    }
    leader.emplace(shared, now);
  }

  Shared shared;
  std::optional<Leader> leader{std::in_place, shared, Now{Monotonic{} + 1h, WallTime{1'000'000}}};
};

TEST_F(ConfigServiceTest, AProposalIsAcceptedByAMajorityAndIsInForce) {
  leader->propose("lease_length", "10s", 1);
  EXPECT_EQ(leader->answers, 0U) << "not before it is committed";
  leader->commit();
  ASSERT_TRUE(leader->last);
  EXPECT_EQ(leader->last->eligible, 5U);
  leader->broker_votes("b1", true);
  leader->vote("w1", true);
  leader->commit();
  EXPECT_EQ(book().version(), 0U);
  leader->broker_votes("b2", true);
  leader->commit();
  EXPECT_EQ(book().version(), 1U);
  EXPECT_EQ(book().values().of(ConfigKey::LeaseLength), 10'000);
}

TEST_F(ConfigServiceTest, ALoneBrokersProposalIsDecidedByItsOwnVote) {
  leader->voters = {"b1"};
  leader->propose("lease_length", "10s", 1);
  leader->commit();
  leader->broker_votes("b1", true);
  leader->commit();
  EXPECT_EQ(book().version(), 1U);
}

TEST_F(ConfigServiceTest, WhoWaitsIsToldTheDecision) {
  leader->propose("lease_length", "10s", 1);
  leader->commit();
  leader->wait_for(1);
  EXPECT_EQ(leader->answers, 1U);
  for (const char* broker : {"b1", "b2", "b3"}) leader->broker_votes(broker, false);
  leader->commit();
  ASSERT_TRUE(leader->last);
  EXPECT_EQ(leader->last->status, ProposalStatus::Rejected);
  EXPECT_EQ(leader->last->no, 3U);
  leader->wait_for(1);
  EXPECT_EQ(leader->answers, 3U) << "of one that is decided at once";
}

TEST_F(ConfigServiceTest, WithoutAMajorityItExpiresAtItsDeadline) {
  leader->propose("lease_length", "10s", 1, 5s);
  leader->commit();
  leader->vote("w1", true);
  leader->commit();
  leader->let_pass(4999ms);
  EXPECT_TRUE(shared.on_the_way.empty());
  EXPECT_EQ(leader->service.tick(leader->now), leader->now.monotonic + 1ms);
  leader->let_pass(1ms);
  leader->let_pass(1ms);
  EXPECT_EQ(shared.on_the_way.size(), 1U) << "decided once";
  leader->commit();
  EXPECT_EQ(book().find(1)->status, ProposalStatus::Expired);
  EXPECT_EQ(leader->service.tick(leader->now), Monotonic::max());
}

// A partition: three of five cannot be heard, so that neither side can win; when they are back in time they
// count.
TEST_F(ConfigServiceTest, APartitionDuringAVoteDecidesNothing) {
  leader->propose("lease_length", "10s", 1, 60s);
  leader->commit();
  leader->broker_votes("b1", true);
  leader->vote("w1", true);
  leader->commit();
  leader->let_pass(30s);
  EXPECT_EQ(book().find(1)->status, ProposalStatus::Pending);
  leader->vote("w2", true);
  leader->commit();
  EXPECT_EQ(book().find(1)->status, ProposalStatus::Accepted);
}

TEST_F(ConfigServiceTest, TheProposerMayDie) {
  leader->propose("lease_length", "10s", 1);
  leader->service.on_peer_gone(Leader::anna);
  leader->commit();
  EXPECT_EQ(leader->answers, 0U) << "nobody is there to be told";
  for (const char* broker : {"b1", "b2", "b3"}) leader->broker_votes(broker, true);
  leader->commit();
  EXPECT_EQ(book().version(), 1U);
}

TEST_F(ConfigServiceTest, TheLeaderMayDieBetweenAcceptanceAndApplication) {
  leader->propose("lease_length", "10s", 1);
  leader->commit();
  for (const char* broker : {"b1", "b2", "b3"}) leader->broker_votes(broker, true);
  leader->commit(3);
  ASSERT_EQ(shared.on_the_way.size(), 1U) << "DECIDE";
  EXPECT_EQ(book().version(), 0U);
  change_leader(0);
  EXPECT_EQ(shared.on_the_way.size(), 1U) << "the next one finds the majority in the book";
  leader->commit();
  EXPECT_EQ(book().version(), 1U);
}

TEST_F(ConfigServiceTest, ADecisionOfTheDeadLeaderAndOneOfTheNextAreOne) {
  leader->propose("lease_length", "10s", 1);
  leader->commit();
  for (const char* broker : {"b1", "b2", "b3"}) leader->broker_votes(broker, true);
  leader->commit(3);
  const auto decision = shared.on_the_way.front();
  change_leader(0);
  shared.on_the_way.insert(shared.on_the_way.begin(), decision);
  leader->commit();
  EXPECT_EQ(book().version(), 1U) << "it is in force once";
}

TEST_F(ConfigServiceTest, AProposalThatIsAskedForAgainIsTheSame) {
  leader->propose("lease_length", "10s", 1);
  leader->propose("lease_length", "10s", 1);
  EXPECT_EQ(shared.on_the_way.size(), 1U);
  change_leader(1);
  leader->propose("lease_length", "10s", 1);
  EXPECT_TRUE(shared.on_the_way.empty());
  EXPECT_EQ(leader->last->id, 1U);
}

TEST_F(ConfigServiceTest, DoubleVotesAndStrangersAreRefusedWithTheReason) {
  leader->propose("lease_length", "10s", 1);
  leader->commit();
  leader->vote("w1", true);
  leader->vote("w1", false);
  EXPECT_EQ(shared.on_the_way.size(), 1U) << "the first is on its way";
  EXPECT_NE(leader->last_refusal.find("'w1' has voted the other way"), std::string::npos)
      << "and counts already: " << leader->last_refusal;
  leader->vote_by_hand("w1", false);
  EXPECT_NE(leader->last_refusal.find("'w1' has voted the other way"), std::string::npos);
  leader->vote("w1", true);
  EXPECT_EQ(leader->last_refusal, "") << "the same again does no harm";
  leader->commit();
  leader->vote("w1", false);
  EXPECT_NE(leader->last_refusal.find("'w1' has voted the other way"), std::string::npos)
      << leader->last_refusal;
  leader->vote("w1", true);
  EXPECT_EQ(leader->last_refusal, "") << "the same again does no harm";
  leader->vote("w9", true);
  EXPECT_NE(leader->last_refusal.find("'w9' has no vote"), std::string::npos) << leader->last_refusal;
  leader->vote("w1", true, 99);
  EXPECT_NE(leader->last_refusal.find("no proposal that is known"), std::string::npos);
  leader->commit();
  EXPECT_EQ(book().find(1)->yes, 1U);
}

TEST_F(ConfigServiceTest, APersonVotesForOneNodeOrForAllThatHaveNotVoted) {
  leader->propose("lease_length", "10s", 1);
  leader->commit();
  leader->vote("w1", false);
  leader->vote_by_hand("w2", true);
  leader->commit();
  EXPECT_EQ(leader->last->yes, 1U);
  leader->vote("b1", false);
  leader->vote_by_hand("", true);
  EXPECT_EQ(leader->last_refusal, "") << "of all that have not voted, and b1 has";
  leader->commit();
  EXPECT_EQ(book().find(1)->status, ProposalStatus::Accepted);
  EXPECT_EQ(book().find(1)->no, 2U) << "what a node has said stays so";
  leader->vote_by_hand("", true, 99);
  EXPECT_NE(leader->last_refusal.find("proposal 99"), std::string::npos);
}

TEST_F(ConfigServiceTest, WhatMakesNoSenseIsRefusedAtTheProposal) {
  const auto refused = [&](std::string_view key, std::string_view value, std::chrono::milliseconds deadline) {
    leader->propose(key, value, ++shared.index, deadline);
    EXPECT_TRUE(shared.on_the_way.empty()) << key << value;
    return leader->last_refusal;
  };
  EXPECT_NE(refused("no_such_key", "10s", 10s).find("no key 'no_such_key'"), std::string::npos);
  EXPECT_NE(refused("lease_length", "1s", 10s).find("from 3s to 1h"), std::string::npos);
  EXPECT_NE(refused("lease_length", "ten", 10s).find("'ten' is no value"), std::string::npos);
  EXPECT_NE(refused("node_timeout", "2s", 10s).find("three times"), std::string::npos);
  EXPECT_NE(refused("lease_length", "10s", 100ms).find("deadline"), std::string::npos);
}

TEST_F(ConfigServiceTest, ContradictionsThatAreAcceptedMeanwhileAreRejected) {
  leader->propose("node_timeout", "3s", 1);
  leader->propose("heartbeat_interval", "1500ms", 2);
  leader->commit();
  for (const std::uint64_t id : {1, 2})
    for (const char* broker : {"b1", "b2", "b3"}) leader->broker_votes(broker, true, id);
  leader->commit();
  EXPECT_EQ(book().find(1)->status, ProposalStatus::Accepted);
  EXPECT_EQ(book().find(2)->status, ProposalStatus::Rejected);
  EXPECT_EQ(book().values().contradiction(), "");
}

TEST_F(ConfigServiceTest, OneAboutAKeyAtATimeAndNoMoreThanTheBound) {
  leader->propose("lease_length", "10s", 1);
  leader->propose("lease_length", "20s", 2);
  EXPECT_NE(leader->last_refusal.find("is open"), std::string::npos);
  leader->commit();
  leader->propose("lease_length", "20s", 2);
  EXPECT_NE(leader->last_refusal.find("proposal 1 about lease_length is open"), std::string::npos);
  for (std::uint64_t token = 10; token < 10 + limits::proposals_open; ++token)
    leader->forbid("w" + std::to_string(token), "forbid", token);
  EXPECT_NE(leader->last_refusal.find("as many proposals are open as can be"), std::string::npos);
  leader->commit();
  EXPECT_EQ(book().open().size(), limits::proposals_open);
}

TEST_F(ConfigServiceTest, ANodeThatIsToGoHasNoVoteAndBrokersDoNotGo) {
  leader->forbid("b1", "forbid", 1);
  EXPECT_NE(leader->last_refusal.find("broker of the group"), std::string::npos);
  leader->forbid("w1", "allow", 2);
  EXPECT_NE(leader->last_refusal.find("is not forbidden"), std::string::npos);
  leader->forbid("w1", "burn", 3);
  EXPECT_NE(leader->last_refusal.find("forbid or allow"), std::string::npos);
  leader->forbid("w1", "forbid", 4);
  leader->commit();
  EXPECT_EQ(leader->last->eligible, 4U);
  leader->vote("w1", false);
  EXPECT_NE(leader->last_refusal.find("no vote"), std::string::npos);
  for (const char* broker : {"b1", "b2", "b3"}) leader->broker_votes(broker, true);
  leader->commit();
  EXPECT_TRUE(book().forbidden().contains("w1"));
}

TEST_F(ConfigServiceTest, ARoleIsChangedByVoteAndOnlyToWhatItsNodeCanBe) {
  const auto propose = [&](std::string_view node, std::string_view role, std::uint64_t token) {
    leader->service.on_message(leader->now, Leader::anna, "anna", Role::Client,
                               Propose{{1}, token, ProposalKind::RoleChange, node, role, 10s});
  };
  propose("w1", "chef", 1);
  EXPECT_NE(leader->last_refusal.find("'chef' is no role"), std::string::npos);
  propose("w1", "client", 2);
  EXPECT_NE(leader->last_refusal.find("is no role"), std::string::npos);
  propose("w2", "gateway", 3);
  EXPECT_EQ(leader->last_refusal, "'w2' changes no role");
  propose("w1", "worker", 4);
  leader->commit();
  for (const char* broker : {"b1", "b2", "b3"}) leader->broker_votes(broker, true);
  leader->commit();
  EXPECT_EQ(book().decided().back().status, ProposalStatus::Accepted);
  EXPECT_TRUE(book().forbidden().empty()) << "worker is 1, as is to forbid";
}

TEST_F(ConfigServiceTest, ListsAreGivenNewestFirstInPages) {
  for (std::uint64_t token = 1; token <= limits::proposals_an_answer + 5; ++token) {
    leader->voters = {"b1"};
    leader->propose("finished_kept", std::to_string(token), token);
    leader->commit();
    leader->broker_votes("b1", true, token);
    leader->commit();
  }
  leader->service.on_message(leader->now, Leader::anna, "anna", Role::Client, ProposalsRequest{{4}});
  EXPECT_EQ(leader->count, limits::proposals_an_answer);
  EXPECT_EQ(leader->last->id, limits::proposals_an_answer + 5);
  leader->service.on_message(leader->now, Leader::anna, "anna", Role::Client,
                             ProposalsRequest{{5}, 0, false, false, 6});
  EXPECT_EQ(leader->count, 5U);
  leader->service.on_message(leader->now, Leader::anna, "anna", Role::Client,
                             ProposalsRequest{{6}, 0, false, true, 0});
  EXPECT_EQ(leader->count, 0U) << "none is open";
}

TEST_F(ConfigServiceTest, WithoutRoomProposalsAreRefusedAndVotesGoOn) {
  leader->propose("lease_length", "10s", 1);
  leader->commit();
  leader->service.admit(false, "the broker's disk is full");
  leader->propose("node_timeout", "10s", 2);
  EXPECT_EQ(leader->last_refusal, "the broker's disk is full");
  leader->vote("w1", true);
  EXPECT_EQ(shared.on_the_way.size(), 1U);
}

}  // namespace
}  // namespace cidbus
