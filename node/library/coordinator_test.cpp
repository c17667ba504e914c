// A cluster in this process: brokers and workers over real sockets, as a program has them.
#include "cidbus/cluster/coordinator.h"

#include <dirent.h>

#include <atomic>
#include <filesystem>
#include <stdexcept>

#include "cidbus/client.h"
#include "cidbus/cluster/role_manager.h"
#include "node/library/waiting.h"
#include "tests/support/temporary_folder.h"

namespace cidbus::v1 {
namespace {

using testing_library::wait_until;

std::size_t threads() {
  std::size_t count = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) count += task.exists();
  return count;
}

class CoordinatorTest : public testing::Test {
 protected:
  CoordinatorOptions options(const std::string& name, bool is_master = false) {
    return {.cluster_id = "home", .node_id = name, .is_master = is_master, .data = folder + "/" + name};
  }
  static Value ended(ClusterCoordinator& node, const std::string& id) {
    Dict status;
    wait_until(
        [&] {
          status = node.get_task_status(id).value();
          const std::string word = status.at("status").shown();
          return word != "pending" && word != "assigned" && word != "processing";
        },
        "the task has ended");
    return status;
  }
  static TaskHandler shout() {
    return [](const Dict& task) -> Result<Dict> {
      return Dict{{"text", Value(task)["text"].shown() + "!"}, {"got", task}};
    };
  }

  const cidbus::TemporaryFolder temporary;
  const std::string folder = temporary.path();
};

TEST_F(CoordinatorTest, TasksFlowFromAMasterToTheWorkersThatHaveHandlers) {
  const std::size_t before = threads();
  {
    ClusterCoordinator master(options("m1", true));
    ASSERT_TRUE(master.create_cluster());
    ClusterCoordinator worker(options("w1"));
    ASSERT_TRUE(worker.register_task_handler("shout", shout()));
    ASSERT_TRUE(worker.join_cluster("home", master.address()));

    const Dict task{{"type", "shout"}, {"text", "hello"}, {"parameters", Dict{{"n", 1}}}};
    const Value done = ended(master, master.submit_task(task).value());
    EXPECT_EQ(done["status"].shown(), "completed");
    EXPECT_EQ(done["result"]["text"], Value("hello!"));
    EXPECT_EQ(done["result"]["got"], Value(task));
    EXPECT_EQ(done["assigned_to"], Value("w1"));
    EXPECT_GE(done["completed_at"].number(), done["submitted_at"].number());

    // Later types make it come again; those it had it keeps.
    ASSERT_TRUE(worker.register_task_handler(
        "fail", [](const Dict&) -> Result<Dict> { throw std::runtime_error("no such colour"); }));
    const Value failed = ended(worker, worker.submit_task({{"type", "fail"}}).value());
    EXPECT_EQ(failed["status"].shown(), "failed");
    EXPECT_EQ(failed["error"], Value("fail: no such colour"));
    EXPECT_TRUE(failed["result"].is_null());
    EXPECT_EQ(ended(master, master.submit_task(task).value())["status"].shown(), "completed");

    const Value unknown(master.get_task_status("t999999").value());
    EXPECT_EQ(unknown["status"].shown(), "unknown");
    EXPECT_EQ(Value(master.get_task_status("no id").value())["status"].shown(), "unknown");
  }
  wait_until([&] { return threads() <= before; }, "no thread is left");
}

TEST_F(CoordinatorTest, StandardTypesWorkOnContentAndABadCidFailsItsTaskOnly) {
  ClusterCoordinator master(options("m1", true));
  ASSERT_TRUE(master.create_cluster("other"));
  ClusterCoordinator worker(options("w1"));
  ASSERT_TRUE(worker.join_cluster("other", master.address()));
  auto client = Client::connect({.brokers = {master.address()}, .cluster = "other", .copies = 1});
  ASSERT_TRUE(client) << client.error().message;
  const std::string cid = client->add("three small words").value().text();
  const Value hashed = ended(master, master.submit_task({{"type", "hash"}, {"cid", cid}}).value());
  EXPECT_EQ(hashed["result"]["values"]["size"], Value("17"));
  const Value failed = ended(master, master.submit_task({{"type", "hash"}, {"cid", "not-a-cid"}}).value());
  EXPECT_EQ(failed["status"].shown(), "failed");
  EXPECT_NE(failed["error"].shown().find("not-a-cid"), std::string::npos) << failed["error"].shown();
  const auto refused = master.submit_task({{"type", "never_offered"}});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("never_offered"), std::string::npos);
}

TEST_F(CoordinatorTest, ALoneMasterDecidesByItsOwnVote) {
  ClusterCoordinator master(options("m1", true));
  ASSERT_TRUE(master.create_cluster());
  const std::string id =
      master.propose_change("config_change", {{"key", "task_timeout_default"}, {"value", 600}}).value();
  wait_until([&] { return master.get_proposal_status(id).value().at("status") == Value("accepted"); },
             "it is decided");
  const Value proposal(master.get_proposal_status(id).value());
  EXPECT_EQ(proposal["type"], Value("config_change"));
  EXPECT_EQ(proposal["votes"]["positive"], Value(1));
  EXPECT_EQ(proposal["votes"]["total"], Value(1));
  EXPECT_TRUE(master.vote_on_proposal(id, "m1", true).value()) << "it came out so";
  EXPECT_FALSE(master.vote_on_proposal(id, "m1", false).value());
  EXPECT_EQ(Value(master.get_cluster_status())["configuration"]["task_timeout_default"], Value("10m"));
  EXPECT_EQ(Value(master.get_proposal_status("77").value())["status"], Value("unknown"));
  EXPECT_EQ(master.propose_change("config_change", {{"key", "no_such"}}).error().kind, FaultKind::BadUsage);
}

TEST_F(CoordinatorTest, EverybodyKnowsWhoLeadsAndWhoIsThere) {
  std::mutex lock;
  std::vector<std::pair<std::string, bool>> leaders;
  CoordinatorOptions leading = options("m1", true);
  leading.leadership_callback = [&](const std::string& leader, bool is_self) {
    const std::lock_guard guard(lock);
    leaders.emplace_back(leader, is_self);
  };
  leading.membership_manager =
      std::make_shared<MembershipManager>(MembershipOptions{.cluster_id = "home", .node_id = "m1"});
  ClusterCoordinator master(leading);
  EXPECT_EQ(Value(master.get_cluster_status())["leader"], Value());
  ASSERT_TRUE(master.create_cluster());
  auto worker = std::make_unique<ClusterCoordinator>(options("w1"));
  ASSERT_TRUE(worker->join_cluster("home", master.address()));
  wait_until([&] { return leading.membership_manager->get_active_members().size() == 2; },
             "both are members");
  const Value status(worker->get_cluster_status());
  EXPECT_EQ(status["leader"], Value("m1"));
  EXPECT_EQ(status["is_leader"], Value(false));
  EXPECT_EQ(status["members"].list()->size(), 2U);
  wait_until([&] { return Value(master.get_health())["status"].shown() == "healthy"; }, "all is well");
  worker.reset();
  wait_until([&] { return leading.membership_manager->get_departed_members().size() == 1; },
             "the worker has left");
  EXPECT_NE(Value(master.get_health())["node_statuses"]["w1"]["status"].shown(), "healthy");
  master.shutdown();
  EXPECT_EQ(leaders.front(), (std::pair<std::string, bool>("m1", true)));
  EXPECT_EQ(leaders.back(), (std::pair<std::string, bool>("", false)));
}

TEST_F(CoordinatorTest, WhatWasAcceptedIsThereAfterAnotherStart) {
  std::string id;
  {
    ClusterCoordinator master(options("m1", true));
    ASSERT_TRUE(master.create_cluster());
    id = master.submit_task({{"type", "shout"}, {"text", "early"}}).value();
  }
  ClusterCoordinator master(options("m1", true));
  ASSERT_TRUE(master.create_cluster());
  EXPECT_EQ(master.get_task_status(id).value().at("status"), Value("pending"));
  ASSERT_TRUE(master.register_task_handler("shout", shout()))
      << "a master runs tasks too, once it has a handler";
  const Value done = ended(master, id);
  EXPECT_EQ(done["result"]["text"], Value("early!"));
  EXPECT_EQ(done["assigned_to"], Value("m1-worker"));
}

TEST_F(CoordinatorTest, SaysWhatItCannotDo) {
  ClusterCoordinator worker(options("w1"));
  EXPECT_EQ(worker.submit_task({{"type", "echo"}}).error().kind, FaultKind::BadUsage) << "in no cluster";
  EXPECT_EQ(worker.create_cluster().error().kind, FaultKind::BadUsage);
  EXPECT_EQ(worker.join_cluster("home", "nowhere").error().kind, FaultKind::BadUsage);
  EXPECT_EQ(worker.register_task_handler("two words", shout()).error().kind, FaultKind::BadUsage);
  CoordinatorOptions hurried = options("w2");
  hurried.election_timeout = Seconds(0.3);
  EXPECT_EQ(ClusterCoordinator(hurried).join_cluster("home", "127.0.0.1:1").error().kind,
            FaultKind::Unavailable);
  ClusterCoordinator master(options("m1", true));
  ASSERT_TRUE(master.create_cluster());
  EXPECT_EQ(master.create_cluster().error().kind, FaultKind::BadUsage) << "it has one";
  EXPECT_EQ(worker.join_cluster("elsewhere", master.address()).error().kind, FaultKind::NotAllowed);
  ClusterCoordinator same(options("m1", true));
  EXPECT_EQ(same.create_cluster().error().kind, FaultKind::TryAgain) << "the folder is the first one's";
}

TEST_F(CoordinatorTest, ANodeTakesTheRoleItManages) {
  RoleManager master({.node_id = "m1", .initial_role = NodeRole::Master, .data = folder + "/m1"});
  ASSERT_TRUE(master.create_cluster("home"));
  RoleManager node(
      {.node_id = "n1",
       .initial_role = NodeRole::Worker,
       .resources = {{"memory_available_mb", 8192}, {"disk_available_gb", 100}, {"cpu_count", 4}},
       .data = folder + "/n1"});
  ASSERT_TRUE(node.join_cluster("home", master.address()));
  EXPECT_EQ(node.switch_role(NodeRole::Leecher).error().message, "this node is the cluster's last worker");
  const List peers = master.discover_peers().value();
  ASSERT_EQ(peers.size(), 1U);
  EXPECT_EQ(peers[0]["role"], Value("worker"));
  EXPECT_TRUE(master.is_peer_authorized("n1").value());
  EXPECT_FALSE(master.is_peer_authorized("n1", NodeRole::Gateway).value());
  EXPECT_FALSE(master.is_peer_authorized("n2").value());

  RoleManager other({.node_id = "n2",
                     .initial_role = NodeRole::Worker,
                     .cluster_discovery_callback =
                         [&] {
                           return List{Dict{{"cluster_id", "home"}, {"address", master.address()}}};
                         },
                     .data = folder + "/n2"});
  EXPECT_EQ(other.discover_peers().value().size(), 2U) << "the broker, and the worker";
  ASSERT_TRUE(other.join_cluster("home", master.address()));
  ASSERT_TRUE(node.switch_role(NodeRole::Gateway)) << "another worker is there now";
  EXPECT_TRUE(master.is_peer_authorized("n1", NodeRole::Gateway).value());
  EXPECT_EQ(Value(node.get_node_info())["role"], Value("gateway"));
}

}  // namespace
}  // namespace cidbus::v1
