#include "broker/tasks/role_service.h"

#include <gmock/gmock.h>

#include <set>

#include "broker/tasks/test_support.h"
#include "shared/base/limits/roles.h"

namespace cidbus {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Peer anna{3};
constexpr Peer agent{7};

class RoleServiceTest : public testing::Test, public Output, public RoleFacts {
 protected:
  RoleServiceTest() { service.take_office(journal.state); }

  // ---- Output
  LogIndex propose(RecordType, ByteView, Urgency) override {
    ADD_FAILURE() << "roles are not replicated";
    return {};
  }
  void send(Peer peer, const Message& message) override {
    if (const auto* order = std::get_if<RoleChange>(&message)) {
      EXPECT_EQ(peer, agent);
      orders.push_back(std::string(order->node) + " " + std::string(to_text(order->role)) + " token " +
                       std::to_string(order->token) + (order->force ? " forced" : "") +
                       (order->proposal == 0 ? "" : " proposal " + std::to_string(order->proposal)));
    } else if (const auto* answer = std::get_if<RoleChangeAnswer>(&message);
               answer != nullptr && peer == agent) {
      told_agent.emplace_back(answer->reason);
    } else if (answer != nullptr) {
      EXPECT_EQ(peer, anna);
      answers.emplace_back(answer->outcome, std::string(answer->reason));
    } else if (const auto* reports = std::get_if<RoleReports>(&message)) {
      shown.clear();
      for (const NodeRole& node : reports->nodes) shown.push_back(text_of(node));
    } else {
      refused.push_back(std::string(std::get<Refused>(message).reason));
    }
  }
  void event(const TaskEvent&) override {}
  // ---- RoleFacts
  [[nodiscard]] std::vector<Node> nodes() const override { return members; }
  [[nodiscard]] bool is_of_group(std::string_view name) const override { return name.starts_with("b"); }
  [[nodiscard]] std::string loss_of(std::string_view broker,
                                    const std::vector<std::string_view>& away) const override {
    std::string text = quorum_loss;
    for (const std::string_view name : away)
      text += "without " + std::string(name) + ", and " + std::string(broker);
    return text;
  }

  static std::string text_of(const NodeRole& node) {
    std::string text = std::string(node.node) + " " + std::string(to_text(node.role));
    if (node.next != Role::Client) text += " -> " + std::string(to_text(node.next));
    if (node.changes) text += node.by_itself ? " by itself" : " when told";
    for (const MovedSetting& setting : node.settings)
      text += ", " + std::string(setting.what) + " " + std::string(setting.now);
    for (const Move& move : node.moves) text += "; " + std::string(move.what) + " to " + std::string(move.to);
    return text;
  }
  void report(const char* node, Role role, std::uint64_t proposal = 0, Role next = Role::Client) {
    service.on_message(agent, agent_name(node),
                       RoleReport{node,
                                  role,
                                  next,
                                  WallTime{5},
                                  false,
                                  proposal,
                                  {{Role::Worker, true, 900, "cores"},
                                   {Role::Gateway, true, 900, "cores"},
                                   {Role::Leecher, false, 100, "memory 300 of 512 MB"}}});
  }
  void order(const char* node, Role role, std::uint64_t token = 1, bool force = false) {
    service.on_message(anna, "anna", RoleChange{{token}, token, node, role, force, 0});
  }
  void end(const char* node, std::uint64_t token, RoleChangeOutcome outcome, std::string_view reason = {}) {
    service.on_message(agent, agent_name(node), RoleChangeAnswer{{}, token, node, outcome, reason});
  }
  void expect_refused(std::string_view reason) {
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers.front().first, RoleChangeOutcome::Refused);
    EXPECT_THAT(answers.front().second, HasSubstr(std::string(reason)));
    EXPECT_THAT(orders, IsEmpty());
    answers.clear();
  }
  void show(const char* node = "") { service.on_message(anna, "anna", RoleQuery{{9}, node}); }
  void decide(std::uint64_t token, std::string_view node, Role role) {
    journal.write(RecordType::Propose, ProposeRecord{token,
                                                     ProposalKind::RoleChange,
                                                     node,
                                                     static_cast<std::int64_t>(role),
                                                     "anna",
                                                     std::chrono::seconds(60),
                                                     {"b1"}});
    const std::uint64_t id = journal.state.config().find_token(token)->id;
    journal.write(RecordType::Vote, VoteRecord{id, true, false, "b1", {}});
    service.on_applied(journal.write(RecordType::Decide, DecideRecord{id, ProposalStatus::Accepted}));
  }

  testing_tasks::Journal journal;
  RoleService service{*this, *this};
  std::vector<Node> members{{"b1", Role::Master, MemberState::Alive, {}},
                            {"n1", Role::Worker, MemberState::Alive, {}},
                            {"w2", Role::Worker, MemberState::Alive, {}}};
  std::string quorum_loss;
  std::vector<std::string> orders;
  std::vector<std::string> told_agent;
  std::vector<std::pair<RoleChangeOutcome, std::string>> answers;
  std::vector<std::string> shown;
  std::vector<std::string> refused;
};

TEST_F(RoleServiceTest, AnOrderGoesToTheAgentAndItsEndToWhoGaveIt) {
  report("n1", Role::Worker);
  order("n1", Role::Gateway);
  EXPECT_THAT(orders, ElementsAre("n1 gateway token 1"));
  EXPECT_THAT(answers, IsEmpty()) << "it is not over";
  end("n1", 1, RoleChangeOutcome::Failed, "no room elsewhere");
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers.front().first, RoleChangeOutcome::Failed);
  EXPECT_EQ(answers.front().second, "no room elsewhere");
  end("n1", 1, RoleChangeOutcome::Failed);
  EXPECT_EQ(answers.size(), 1U) << "told once";
}

TEST_F(RoleServiceTest, WhatTheMachineCannotCarryIsRefusedWithTheFactorForcedOrNot) {
  report("n1", Role::Worker);
  order("n1", Role::Leecher);
  expect_refused("'n1' cannot carry a leecher: memory 300 of 512 MB");
  order("n1", Role::Leecher, 2, true);
  expect_refused("memory 300 of 512 MB");
}

TEST_F(RoleServiceTest, TheLastWorkerStaysUnlessForced) {
  members[2].state = MemberState::Dead;
  report("n1", Role::Worker);
  order("n1", Role::Gateway);
  expect_refused("'n1' is the last worker");
  order("n1", Role::Gateway, 2, true);
  EXPECT_THAT(orders, ElementsAre("n1 gateway token 2 forced"));
}

TEST_F(RoleServiceTest, ABrokerThatTheQuorumNeedsStaysUnlessForcedAndNobodyWaitsThen) {
  report("b1", Role::Master);
  quorum_loss = "the quorum needs it";
  order("b1", Role::Worker);
  expect_refused("the quorum needs it");
  order("b1", Role::Worker, 2, true);
  EXPECT_THAT(orders, ElementsAre("b1 worker token 2 forced"));
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers.front().first, RoleChangeOutcome::Begun);
  quorum_loss.clear();
  order("b1", Role::Worker, 3);
  EXPECT_EQ(orders.size(), 2U);
  EXPECT_EQ(answers.size(), 1U) << "the others tell how it ends";
}

TEST_F(RoleServiceTest, OfTwoLastWorkersThatAreOrderedAtOnceOneStays) {
  members[2].name = "n2";
  report("n1", Role::Worker);
  report("n2", Role::Worker);
  order("n1", Role::Gateway, 1);
  EXPECT_THAT(orders, ElementsAre("n1 gateway token 1"));
  orders.clear();
  order("n2", Role::Gateway, 2);
  expect_refused("'n2' is the last worker");
  report("n1", Role::Worker);  // on its way before the order came
  orders.clear();              // which is given again
  order("n2", Role::Gateway, 3);
  expect_refused("'n2' is the last worker");
  report("n1", Role::Gateway);  // a member as worker still
  orders.clear();
  order("n2", Role::Gateway, 4);
  expect_refused("'n2' is the last worker");
  report("n1", Role::Worker);
  end("n1", 1, RoleChangeOutcome::Failed, "no room elsewhere");
  orders.clear();
  order("n2", Role::Gateway, 5);
  EXPECT_THAT(orders, ElementsAre("n2 gateway token 5"));
}

TEST_F(RoleServiceTest, ANodeIsLeavingFromItsOrderToItsEnd) {
  report("n1", Role::Worker);
  EXPECT_FALSE(service.is_leaving("n1"));
  order("n1", Role::Worker);
  EXPECT_FALSE(service.is_leaving("n1")) << "it is one already";
  order("n1", Role::Gateway);
  EXPECT_TRUE(service.is_leaving("n1"));
  show();
  EXPECT_THAT(shown, testing::Contains("n1 worker -> gateway when told"));
  report("n1", Role::Worker, 0, Role::Gateway);
  EXPECT_TRUE(service.is_leaving("n1"));
  report("n1", Role::Gateway);
  end("n1", 1, RoleChangeOutcome::Done);
  EXPECT_FALSE(service.is_leaving("n1"));
  EXPECT_FALSE(service.is_leaving("w2"));
}

TEST_F(RoleServiceTest, OfTwoAcceptedVotesThatTakeTheLastWorkersOneIsCarriedOut) {
  members[2].name = "n2";
  report("n1", Role::Worker);
  report("n2", Role::Worker);
  decide(11, "n1", Role::Gateway);
  decide(12, "n2", Role::Gateway);
  EXPECT_THAT(orders, ElementsAre("n1 gateway token 11 proposal 1"));
}

TEST_F(RoleServiceTest, ABrokerThatIsLeavingCountsNoMoreForTheQuorum) {
  members = {{"b1", Role::Master, MemberState::Alive, {}}, {"b2", Role::Master, MemberState::Alive, {}}};
  report("b1", Role::Master);
  report("b2", Role::Master);
  order("b1", Role::Worker, 1);
  EXPECT_THAT(orders, ElementsAre("b1 worker token 1"));
  orders.clear();
  order("b2", Role::Worker, 2);
  expect_refused("without b1, and b2");
}

TEST_F(RoleServiceTest, ANodeThatWishesToChangeByItselfAsksAndIsOrderedOrRefused) {
  report("n1", Role::Worker);
  const auto wish = [&](std::uint64_t token) {
    service.on_message(agent, agent_name("n1"), RoleChange{{token}, token, "n1", Role::Gateway, false, 0});
  };
  members[2].state = MemberState::Dead;
  wish(1);
  EXPECT_THAT(orders, IsEmpty());
  ASSERT_EQ(told_agent.size(), 1U);
  EXPECT_THAT(told_agent.front(), HasSubstr("'n1' is the last worker"));
  members[2].state = MemberState::Alive;
  wish(2);
  wish(2);
  EXPECT_THAT(orders, ElementsAre("n1 gateway token 2", "n1 gateway token 2"));
  end("n1", 2, RoleChangeOutcome::Done);
  EXPECT_EQ(told_agent.size(), 2U) << "it hears its own answer once";
}

TEST_F(RoleServiceTest, ABrokerIsMadeOnlyOfANodeThatTheGroupNames) {
  report("n1", Role::Worker);
  order("n1", Role::Master);
  expect_refused("fixed by --group");
}

TEST_F(RoleServiceTest, ANodeWithoutAnAgentIsToldFromNoNode) {
  order("w2", Role::Gateway);
  expect_refused("'w2' is run by a program that is a worker and nothing else");
  order("w9", Role::Gateway);
  expect_refused("there is no node 'w9'");
  report("n1", Role::Worker);
  service.on_peer_gone(agent);
  order("n1", Role::Gateway);
  expect_refused("nothing else");
}

TEST_F(RoleServiceTest, WhatItIsAlreadyIsDone) {
  report("n1", Role::Worker);
  order("n1", Role::Worker);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers.front().first, RoleChangeOutcome::Done);
  EXPECT_THAT(orders, IsEmpty());
}

TEST_F(RoleServiceTest, AnAgentThatComesBackIsGivenTheOrderAgainUntilItIsOver) {
  report("n1", Role::Worker);
  order("n1", Role::Gateway);
  service.on_peer_gone(agent);
  report("n1", Role::Worker, 0, Role::Gateway);
  EXPECT_THAT(orders, ElementsAre("n1 gateway token 1", "n1 gateway token 1"));
  end("n1", 1, RoleChangeOutcome::Done);
  report("n1", Role::Gateway);
  EXPECT_EQ(orders.size(), 2U);
  EXPECT_EQ(answers.size(), 1U);
}

TEST_F(RoleServiceTest, WhoAsksTheSameAgainWaitsOnceAndWhoIsGoneNotAtAll) {
  report("n1", Role::Worker);
  order("n1", Role::Gateway);
  order("n1", Role::Gateway);
  end("n1", 1, RoleChangeOutcome::Done);
  EXPECT_EQ(answers.size(), 1U);
  order("n1", Role::Gateway, 2);
  service.on_peer_gone(anna);
  end("n1", 2, RoleChangeOutcome::Done);
  EXPECT_EQ(answers.size(), 1U);
}

TEST_F(RoleServiceTest, ChangesUnderWayAreBounded) {
  report("n1", Role::Worker);
  for (std::uint64_t token = 1; token <= limits::role_changes; ++token) order("n1", Role::Gateway, token);
  EXPECT_THAT(answers, IsEmpty());
  orders.clear();
  order("n1", Role::Gateway, 1000);
  expect_refused("too many changes");
}

TEST_F(RoleServiceTest, AnAgentSpeaksForItsOwnNodeAlone) {
  service.on_message(agent, agent_name("n2"), RoleReport{"n1", Role::Worker, Role::Client, {}, true, 0, {}});
  EXPECT_THAT(refused, ElementsAre(HasSubstr("its own node alone")));
  report("n1", Role::Worker);
  order("n1", Role::Gateway);
  service.on_message(agent, agent_name("n2"), RoleChangeAnswer{{}, 1, "n1", RoleChangeOutcome::Done, {}});
  EXPECT_THAT(answers, IsEmpty());
}

TEST_F(RoleServiceTest, NodesAreShownWithWhatTheyMovedAndOneOfThemWithItsRecord) {
  report("n1", Role::Worker, 0, Role::Gateway);
  service.on_message(Peer{8}, "n1",
                     Moves{{{"slots", "2", "4"}}, {{WallTime{20}, "slots", "4", "2", "short"}}});
  service.on_message(agent, agent_name("n1"),
                     Moves{{}, {{WallTime{10}, "role", "leecher", "worker", "told"}}});
  show();
  EXPECT_THAT(shown, ElementsAre("b1 master", "n1 worker -> gateway when told, slots 2", "w2 worker"));
  show("n1");
  EXPECT_THAT(shown, ElementsAre("n1 worker -> gateway when told, slots 2; role to worker; slots to 2"));
  service.on_peer_gone(Peer{8});
  show("n1");
  EXPECT_THAT(shown, ElementsAre("n1 worker -> gateway when told; role to worker; slots to 2"))
      << "what it did is remembered, what it lived by is not";
  show("w9");
  EXPECT_THAT(shown, IsEmpty());
}

TEST_F(RoleServiceTest, AVoteIsCarriedOutOnceAndByANodeThatWasAwayWhenItIsBack) {
  decide(11, "n1", Role::Gateway);
  EXPECT_THAT(orders, IsEmpty());
  report("n1", Role::Worker);
  EXPECT_THAT(orders, ElementsAre("n1 gateway token 11 proposal 1"));
  report("n1", Role::Gateway, 1);
  decide(12, "n1", Role::Worker);
  EXPECT_THAT(orders, ElementsAre("n1 gateway token 11 proposal 1", "n1 worker token 12 proposal 2"));
  report("n1", Role::Worker, 2);
  EXPECT_EQ(orders.size(), 2U);
  EXPECT_TRUE(journal.state.config().forbidden().empty());
}

TEST_F(RoleServiceTest, AVoteThatCannotBeCarriedOutYetIsTriedAgain) {
  report("n1", Role::Worker);
  members[2].state = MemberState::Dead;
  decide(11, "n1", Role::Gateway);
  EXPECT_THAT(orders, IsEmpty()) << "it is the last worker";
  members[2].state = MemberState::Alive;
  report("n1", Role::Worker);
  EXPECT_THAT(orders, ElementsAre("n1 gateway token 11 proposal 1"));
}

}  // namespace
}  // namespace cidbus
