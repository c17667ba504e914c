#include "cidbus/cluster/role_manager.h"

#include <chrono>
#include <thread>

#include "node/library/waiting.h"

namespace cidbus::v1 {
namespace {

Dict machine(double memory_mb, double disk_gb, double cores = 8) {
  return {{"memory_available_mb", memory_mb}, {"disk_available_gb", disk_gb}, {"cpu_count", cores}};
}

TEST(NodeRoleTest, NamesAreTakenInAnyCaseAndOthersAreToldWhatThereIs) {
  EXPECT_EQ(node_role_from_string("MASTER").value(), NodeRole::Master);
  EXPECT_EQ(node_role_from_string("Observer").value(), NodeRole::Observer);
  for (const NodeRole role :
       {NodeRole::Master, NodeRole::Worker, NodeRole::Leecher, NodeRole::Gateway, NodeRole::Observer})
    EXPECT_EQ(node_role_from_string(to_text(role)).value(), role);
  for (const char* text : {"", "client", "slave"}) {
    const auto role = node_role_from_string(text);
    ASSERT_FALSE(role) << text;
    EXPECT_NE(role.error().message.find("master, worker, leecher, gateway and observer"), std::string::npos);
  }
}

TEST(RoleManagerTest, ARoleIsDetectedWhereNoneWasAskedFor) {
  EXPECT_EQ(RoleManager({.resources = machine(8192, 100)}).role(), NodeRole::Worker);
  EXPECT_EQ(RoleManager({.resources = machine(600, 2)}).role(), NodeRole::Leecher);
  EXPECT_EQ(RoleManager({.resources = machine(8192, 100), .auto_detect = false}).role(), NodeRole::Leecher);
  EXPECT_EQ(RoleManager({.initial_role = NodeRole::Gateway, .resources = machine(8192, 100)}).role(),
            NodeRole::Gateway);
  EXPECT_EQ(RoleManager({.initial_role = NodeRole::Master, .resources = machine(1, 1)}).role(),
            NodeRole::Master)
      << "one that was asked for is kept, whatever the machine could do";
}

TEST(RoleManagerTest, AMachineThatCanCarryNoneIsToldSo) {
  const RoleManager tiny({.resources = machine(1, 1)});
  ASSERT_FALSE(tiny.status());
  EXPECT_NE(tiny.status().error().message.find("memory"), std::string::npos) << tiny.status().error().message;
  const RoleManager odd({.resources = {{"cpu_count", "many"}}});
  ASSERT_FALSE(odd.status());
  EXPECT_NE(odd.status().error().message.find("cpu_count is many"), std::string::npos);
}

TEST(RoleManagerTest, KnowsItsCapabilitiesAndNoOthers) {
  const RoleManager worker({.initial_role = NodeRole::Worker});
  EXPECT_TRUE(worker.can_handle_capability("content_routing"));
  EXPECT_FALSE(worker.can_handle_capability("cluster_management"));
  EXPECT_FALSE(worker.can_handle_capability("levitation"));
  Value config(worker.get_role_config());
  EXPECT_EQ(config["required_resources"]["memory_available_mb"], Value(1024));
  EXPECT_EQ(config["config_overrides"]["storage-max"], Value("100GB"));
  EXPECT_EQ(config["capabilities"].list()->size(), 2U);
  EXPECT_FALSE(config["description"].shown().empty());
}

TEST(RoleManagerTest, TellsWhoItIs) {
  const RoleManager node(
      {.node_id = "n1", .resources = machine(1500, 100, 3), .metadata = {{"site", "attic"}}});
  const Value info(node.get_node_info());
  EXPECT_EQ(info["node_id"], Value("n1"));
  EXPECT_EQ(info["role"], Value("worker"));
  EXPECT_TRUE(info["cluster_id"].is_null());
  EXPECT_EQ(info["resources"]["cpu_count"].number(), 3);
  EXPECT_EQ(info["metadata"]["site"], Value("attic"));
  EXPECT_GE(info["uptime"].number(-1), 0);
  EXPECT_EQ(info["roles"]["master"]["possible"], Value(false));
  EXPECT_NE(info["roles"]["master"]["limit"].shown().find("memory"), std::string::npos);
}

TEST(RoleManagerTest, SwitchesToWhatTheMachineCanCarryAndSaysSo) {
  std::vector<Dict> changes;
  RoleManager node({.resources = machine(1500, 100),
                    .configuration_callback = [&](const Dict& change) { changes.push_back(change); }});
  ASSERT_EQ(changes.size(), 1U) << "its first role";
  EXPECT_TRUE(changes[0].at("old_role").is_null());
  ASSERT_TRUE(node.switch_role(NodeRole::Observer));
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[1].at("old_role"), Value("worker"));
  EXPECT_EQ(changes[1].at("new_role"), Value("observer"));
  EXPECT_EQ(changes[1].at("config"), Value(node.get_role_config()));
  ASSERT_TRUE(node.switch_role(NodeRole::Observer));
  EXPECT_EQ(changes.size(), 2U) << "it is one already";

  const Status refused = node.switch_role(NodeRole::Master);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, FaultKind::NotAllowed);
  EXPECT_NE(refused.error().message.find("memory"), std::string::npos) << refused.error().message;
  EXPECT_EQ(node.role(), NodeRole::Observer);

  RoleManager fixed({.resources = machine(8192, 100), .role_switching_enabled = false});
  EXPECT_EQ(fixed.switch_role(NodeRole::Leecher).error().kind, FaultKind::NotAllowed);
}

TEST(RoleManagerTest, ACallbackMayAskWhatCallsIt) {
  RoleManager* node = nullptr;
  std::vector<NodeRole> seen;
  std::vector<FaultKind> refused;
  RoleManagerOptions options{.resources = machine(1500, 100)};
  options.configuration_callback = [&](const Dict&) {
    if (node == nullptr) return;  // it is being made
    seen.push_back(node->role());
    EXPECT_EQ(Value(node->get_node_info())["role"].shown(), to_text(node->role()));
    EXPECT_TRUE(node->address().empty());
    refused.push_back(node->switch_role(NodeRole::Leecher).error().kind);
    refused.push_back(node->join_cluster("home", "127.0.0.1:1").error().kind);
    node->shutdown();
  };
  options.cluster_discovery_callback = [&] {
    seen.push_back(node->role());
    refused.push_back(node->switch_role(NodeRole::Leecher).error().kind);
    return List{};
  };
  RoleManager made(options);
  node = &made;
  ASSERT_TRUE(made.switch_role(NodeRole::Observer));
  ASSERT_TRUE(made.discover_peers());
  EXPECT_EQ(seen, (std::vector{NodeRole::Observer, NodeRole::Observer}));
  EXPECT_EQ(refused, std::vector(3, FaultKind::BadUsage)) << "but not change it";
}

TEST(RoleManagerTest, IsAskedAndShutDownWhileItJoins) {
  RoleManager node({.initial_role = NodeRole::Worker, .data = "/nonexistent"});
  Status joined;
  std::thread joins([&] { joined = node.join_cluster("home", "127.0.0.1:1"); });
  testing_library::wait_until([&] { return !node.address().empty(); }, "it looks for the cluster");
  EXPECT_EQ(node.role(), NodeRole::Worker);
  const auto began = std::chrono::steady_clock::now();
  node.shutdown();
  joins.join();
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20)) << "which takes 30 s";
  EXPECT_EQ(joined.error().kind, FaultKind::Unavailable) << joined.error().message;
  EXPECT_TRUE(node.address().empty());
  EXPECT_TRUE(Value(node.get_node_info())["cluster_id"].is_null()) << "it is in none";
}

TEST(RoleManagerTest, OnlyAMasterCreatesAndAllOthersJoin) {
  RoleManager worker({.initial_role = NodeRole::Worker});
  EXPECT_EQ(worker.create_cluster("home").error().kind, FaultKind::BadUsage);
  EXPECT_EQ(worker.join_cluster("home", "nowhere").error().kind, FaultKind::BadUsage);
  RoleManager master({.initial_role = NodeRole::Master});
  EXPECT_EQ(master.join_cluster("home", "127.0.0.1:1").error().kind, FaultKind::BadUsage);
  EXPECT_EQ(Value(worker.get_cluster_status())["members"], Value(List{}));
  EXPECT_TRUE(worker.discover_peers().value().empty());
}

}  // namespace
}  // namespace cidbus::v1
