#include "cidbus/cluster/membership_manager.h"

#include <algorithm>
#include <mutex>

#include "node/library/waiting.h"

namespace cidbus::v1 {
namespace {

using testing_library::wait_until;

Value find(const List& members, const std::string& name) {
  for (const Value& member : members)
    if (member["node_id"].shown() == name) return member;
  return {};
}

TEST(MembershipManager, ANodeIsInItsOwnTable) {
  MembershipManager members({.cluster_id = "home", .node_id = "n1"});
  const List active = members.get_active_members();
  ASSERT_EQ(active.size(), 1U);
  EXPECT_EQ(active[0]["node_id"].shown(), "n1");
  EXPECT_GT(active[0]["last_seen"].number(), 1.6e9) << "seconds since the epoch";
  EXPECT_EQ(members.get_member_count(), (Dict{{"active", 1}, {"departed", 0}, {"total", 1}}));
}

TEST(MembershipManager, HeartbeatsKeepAMemberAndWhatItSays) {
  MembershipManager members({.cluster_id = "home", .node_id = "n1"});
  ASSERT_TRUE(members.handle_heartbeat({{"node_id", "w1"}, {"role", "gateway"}, {"load", 0.5}}));
  ASSERT_TRUE(members.handle_heartbeat({{"node_id", "w1"}, {"role", "gateway"}, {"load", 0.75}}));
  const Value member = find(members.get_active_members(), "w1");
  EXPECT_EQ(member["role"].shown(), "gateway");
  EXPECT_EQ(member["load"].number(), 0.75);
  EXPECT_EQ(member["state"].shown(), "alive");
}

TEST(MembershipManager, SilenceIsToldOnceAndAGoodbyeAtOnce) {
  std::mutex lock;
  std::vector<std::string> told;
  MembershipManager members({.cluster_id = "home",
                             .node_id = "n1",
                             .node_timeout = Seconds(0.2),
                             .membership_callback = [&](const std::string& state, const Dict& member) {
                               const std::lock_guard guard(lock);
                               if (member.at("node_id") == Value("w1")) told.push_back(state);
                             }});
  ASSERT_TRUE(members.handle_heartbeat({{"node_id", "w1"}}));
  ASSERT_TRUE(members.handle_heartbeat({{"node_id", "w2"}}));
  ASSERT_TRUE(members.handle_heartbeat({{"node_id", "w2"}, {"state", "left"}}));
  EXPECT_EQ(find(members.get_departed_members(), "w2")["state"].shown(), "left");
  wait_until([&] { return !find(members.get_departed_members(), "w1").is_null(); }, "w1 is dead");
  EXPECT_EQ(find(members.get_departed_members(), "w1")["state"].shown(), "dead");
  EXPECT_FALSE(find(members.get_active_members(), "n1").is_null()) << "this node hears itself";
  wait_until([&] { return std::lock_guard(lock), !told.empty() && told.back() == "dead"; },
             "its death is told");
  members.shutdown();
  members.shutdown();
  EXPECT_EQ(std::count(told.begin(), told.end(), "dead"), 1);
  EXPECT_EQ(members.get_member_count(), (Dict{{"active", 1}, {"departed", 2}, {"total", 3}}));
}

TEST(MembershipManager, OneThatIsCalledSuspectIsSuspectUntilItIsHeardOrDies) {
  MembershipManager members({.cluster_id = "home", .node_id = "n1", .node_timeout = Seconds(3600)});
  const auto state = [&] { return find(members.get_active_members(), "w1")["state"].shown(); };
  ASSERT_TRUE(members.handle_heartbeat({{"node_id", "w1"}, {"state", "alive"}}));
  ASSERT_TRUE(members.handle_heartbeat({{"node_id", "w1"}, {"state", "suspect"}}));
  EXPECT_EQ(state(), "suspect");
  ASSERT_TRUE(members.handle_heartbeat({{"node_id", "w1"}, {"state", "suspect"}}));
  EXPECT_EQ(state(), "suspect") << "said again";
  ASSERT_TRUE(members.handle_heartbeat({{"node_id", "w1"}, {"state", "alive"}}));
  EXPECT_EQ(state(), "alive");
  ASSERT_TRUE(members.handle_heartbeat({{"node_id", "w2"}, {"state", "suspect"}}));
  EXPECT_EQ(find(members.get_active_members(), "w2")["state"].shown(), "suspect")
      << "heard of for the first time";
  ASSERT_TRUE(members.handle_heartbeat({{"node_id", "w1"}, {"state", "dead"}}));
  EXPECT_EQ(find(members.get_departed_members(), "w1")["state"].shown(), "dead");
}

TEST(MembershipManager, StrangersAndThePastAreRefused) {
  MembershipManager members({.cluster_id = "home", .node_id = "n1"});
  EXPECT_EQ(members.handle_heartbeat({{"node_id", "w1"}, {"cluster_id", "elsewhere"}}).error().kind,
            FaultKind::NotAllowed);
  EXPECT_EQ(members.handle_heartbeat({{"role", "worker"}}).error().kind, FaultKind::BadUsage);
  ASSERT_TRUE(members.handle_heartbeat({{"node_id", "w1"}, {"incarnation", 2}}));
  EXPECT_EQ(members.handle_heartbeat({{"node_id", "w1"}, {"incarnation", 1}}).error().kind,
            FaultKind::NotAllowed);
  EXPECT_TRUE(members.handle_heartbeat({{"node_id", "w1"}, {"incarnation", 3}}));
}

}  // namespace
}  // namespace cidbus::v1
