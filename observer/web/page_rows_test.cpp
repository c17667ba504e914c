#include "observer/web/page_rows.h"

#include <gmock/gmock.h>

#include "observer/web/page_answers.h"
#include "observer/web/page_files.h"

namespace cidbus {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr WallTime now{1'700'000'000'000};
constexpr std::string_view hostile = "</script><b>\n\"\xff";
constexpr const char* hostile_in_json = "</script><b>\\n\\\"\xef\xbf\xbd";

BrokerStatus status(std::string_view name, Duty duty) {
  BrokerStatus said;
  said.name = name;
  said.duty = duty;
  said.leader = "b1";
  said.epoch = {3};
  said.last = said.durable = said.commit = said.applied = {40};
  said.brokers = {{"b1", "h:1", 2, {40}, now}, {"b2", "h:2", 1, {30}, now}};
  return said;
}

class PageRows : public ::testing::Test {
 protected:
  void SetUp() override {
    Snapshot snapshot;
    snapshot.cluster = hostile;
    snapshot.leader = "b1";
    snapshot.tasks_by_state = {1, 0, 2, 3, 0, 0, 0};
    const NodeLoad load{4, 1, 9, 1000, 5000, 0, 2};
    snapshot.members = {{"b1", Role::Master, MemberState::Alive, {1}, "", {}, now, now, {}},
                        {"w1", Role::Worker, MemberState::Alive, {1}, "h:9", load, now, now, {}}};
    view_.on_bound();
    view_.on_snapshot(now, snapshot);
    view_.on_status(now, status("b1", Duty::Leader));
    view_.on_status(now, status("b2", Duty::Standby));
  }
  std::string told(WallTime at) {
    PageLedger ledger;
    const Board board = make_board(view_, {}, {}, {}, at);
    put_now(ledger, board, {"o1", "1.0", now, 7, 0, {}});
    put_cluster(ledger, board);
    ledger.commit();
    return ledger.since(0);
  }

  ClusterView view_;
};

TEST_F(PageRows, SayWhatIsKnownAndNullForTheRest) {
  const std::string json = told(now);
  EXPECT_THAT(json, HasSubstr(R"("tasks":{"pending":1,"assigned":0,"processing":2,"completed":3,)"));
  EXPECT_THAT(json, HasSubstr(R"("rates":{"accepted":null,"finished":null,)"));
  EXPECT_THAT(json, HasSubstr(R"("bound":true,"unbound":null,)"));
  EXPECT_THAT(json, HasSubstr(R"("b1":{"state":"leader","health":"healthy","address":"h:1","priority":2,)"));
  EXPECT_THAT(json, HasSubstr(R"("slots":4,"busy":1,)"));
  EXPECT_THAT(json, HasSubstr(R"("blocks":9,"block_bytes":1000,"disk_free":5000)"));
  EXPECT_THAT(json, Not(HasSubstr("resident"))) << "it told of no memory";
}

TEST_F(PageRows, MachinesAreToldInWholePercentAndNullOnceTheyAreSilent) {
  History history;
  history.add({"w1", "cpu_percent", now, 12.6});
  history.add({"b2", "memory_percent", now, 41.2});
  const auto machines = [&](WallTime at) {
    PageLedger ledger;
    put_cluster(ledger, make_board(view_, history, {}, {}, at));
    ledger.commit();
    return ledger.since(0);
  };
  const std::string json = machines(now + std::chrono::seconds(1));
  EXPECT_THAT(json, HasSubstr(R"("w1":{"cpu":13,"memory":null})"));
  EXPECT_THAT(json, HasSubstr(R"("b2":{"cpu":null,"memory":41})"))
      << "a broker's, which is not among the nodes";
  EXPECT_THAT(machines(now + std::chrono::minutes(1)), HasSubstr(R"("w1":{"cpu":null,"memory":null})"));
}

TEST_F(PageRows, WhatComesFromTheClusterStaysText) {
  EXPECT_THAT(told(now), HasSubstr(std::string("\"name\":\"") + hostile_in_json + "\""));
}

TEST_F(PageRows, ANodeThatIsHeardIsNoNewsEverySecondAndOneThatIsNotIs) {
  EXPECT_THAT(told(now + std::chrono::seconds(2)), Not(HasSubstr(R"("heard")")));
  EXPECT_THAT(told(now + std::chrono::seconds(4)), HasSubstr(R"("heard":1700000000000)"));
}

TEST_F(PageRows, ABrokerThatAnswersIsNotSilent) {
  const Board board = make_board(view_, {}, {}, {}, now + std::chrono::minutes(1));
  EXPECT_EQ(board.nodes.at(0).health, HealthStatus::Healthy);
  EXPECT_EQ(board.nodes.at(1).health, HealthStatus::Critical);
}

TEST_F(PageRows, TellWhenTheLeaderWasLostSoThatItsOfficeEndsThere) {
  view_.on_unbound(now + std::chrono::seconds(9));
  EXPECT_THAT(told(now + std::chrono::minutes(5)), HasSubstr(R"("bound":false,"unbound":1700000009000,)"));
}

TEST_F(PageRows, ABrokersDiskAndAnOldQueueAreNoHealthyCluster) {
  view_.on_event(now, "b1", CountersEvent{});
  History history;
  history.add({"w1", "disk_percent", now, 10});
  EXPECT_EQ(make_board(view_, history, {}, {}, now).health.status, HealthStatus::Healthy);
  history.add({"b2", "disk_percent", now, 99});
  Board board = make_board(view_, history, {}, {}, now);
  EXPECT_EQ(board.brokers.at(1).health, HealthStatus::Critical) << "a standby, which is among no nodes";
  EXPECT_EQ(board.health.status, HealthStatus::Warning) << "one broker alone";
  EXPECT_THAT(board.health.reasons, ::testing::ElementsAre("broker b2: disk at 99 %"));
  history.add({"", "queue_oldest_seconds", now, 5000});
  board = make_board(view_, history, {}, {}, now);
  EXPECT_EQ(board.health.status, HealthStatus::Critical);
  EXPECT_THAT(board.health.reasons,
              ::testing::ElementsAre("a task has waited for 5000 s", "broker b2: disk at 99 %"));
}

TEST(PageEntries, TellRunsElectionsAndAlerts) {
  EXPECT_EQ(run_entry({TaskId{42}, "echo", "w1", now, now, TaskState::Completed, 2}),
            R"({"task":"t1a","type":"echo","worker":"w1","began":1700000000000,"ended":1700000000000,)"
            R"("state":"completed","attempts":2})");
  EXPECT_THAT(run_entry({TaskId{42}, "echo", "w1", {}, now, TaskState::Failed, 1}), Not(HasSubstr("began")));
  EXPECT_EQ(election_entry(now, "b2", {ElectionWord::Coordinator, "", {8}, {40}, {7}, -1}),
            R"({"time":1700000000000,"broker":"b2","word":"COORDINATOR","to":"","epoch":8,"last":40,)"
            R"("priority":-1})");
  const Alert alert{"a1", "disk_free", "w1", "disk_free_bytes", AlertLevel::Critical, 1, "little room", now};
  EXPECT_THAT(alert_entry({AlertChange::Resolved, alert, now}),
              HasSubstr(R"("change":"resolved","rule":"disk_free","node":"w1","level":"critical")"));
}

std::string told_of(const PageAnswers& answers) {
  PageLedger ledger;
  answers.put(ledger);
  ledger.commit();
  return ledger.since(0);
}

TEST(PageAnswersTest, ShowEveryKeyAndWhoseVoteMadeIt) {
  PageAnswers answers;
  EXPECT_EQ(told_of(answers), R"({"version":0,"whole":true,"tables":{},"logs":{}})") << "nothing is made up";
  Configuration configuration;
  configuration.entries = {{"heartbeat_interval", 2000, 3, 5, now}};
  configuration.forbidden = {"w9"};
  answers.take(configuration);
  const std::string json = told_of(answers);
  EXPECT_THAT(json, HasSubstr(R"("heartbeat_interval":{"value":"2s","initial":"1s",)"));
  EXPECT_THAT(json, HasSubstr(R"("version":3,"proposal":5,"since":1700000000000})"));
  EXPECT_THAT(json, HasSubstr(R"("node_timeout":{"value":"5s","initial":"5s",)"));
  EXPECT_THAT(json, HasSubstr(R"("forbidden":{"w9":true})"));
}

TEST(PageAnswersTest, ShowProposalsWithTheirVotes) {
  PageAnswers answers;
  Proposal proposal;
  proposal.id = 4;
  proposal.subject = "heartbeat_interval";
  proposal.value = 2000;
  proposal.eligible = 3;
  proposal.votes = {{"w1", false, true, hostile}};
  proposal.waiting = {"w2"};
  answers.take(Proposals{{}, {proposal}, false});
  EXPECT_TRUE(answers.has_open());
  EXPECT_THAT(told_of(answers),
              HasSubstr(R"("subject":"heartbeat_interval","value":"2s","status":"pending")"));
  EXPECT_THAT(told_of(answers),
              HasSubstr(std::string(R"("votes":[{"voter":"w1","yes":false,"person":true,)") +
                        R"("reason":")" + hostile_in_json + R"("}],"waiting":["w2"])"));
  proposal.status = ProposalStatus::Accepted;
  answers.take(Proposals{{}, {proposal}, false});
  EXPECT_FALSE(answers.has_open());
}

TEST(PageFiles, AreAllThereAndSmall) {
  constexpr std::size_t most = 200'000;  // of 300,000; the rest is for what a browser is told first
  std::size_t size = 0;
  bool has_index = false;
  for (const PageFile& file : page_files()) {
    size += file.bytes.size();
    has_index = has_index || file.name == "index.html";
  }
  EXPECT_TRUE(has_index);
  EXPECT_LE(size, most);
  EXPECT_EQ(content_type_of("uPlot.iife.min.js"), "text/javascript; charset=utf-8");
}

}  // namespace
}  // namespace cidbus
