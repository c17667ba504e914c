#include "shared/node/machine.h"

#include <gmock/gmock.h>

namespace cidbus {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr std::uint64_t mib = 1 << 20;

TEST(Machine, MemoryIsTheTotalAndWhatIsAvailable) {
  const auto memory = parse_memory_info("MemTotal:   2048 kB\nMemFree:  100 kB\nMemAvailable:  1024 kB\n");
  ASSERT_TRUE(memory);
  EXPECT_EQ(memory->total_bytes, 2 * mib);
  EXPECT_EQ(memory->available_bytes, mib);
  EXPECT_FALSE(parse_memory_info("MemTotal: 2048 kB\n")) << "a kernel before 3.14 does not tell";
  EXPECT_FALSE(parse_memory_info(""));
}

TEST(Machine, BusyTimeIsAllButIdleAndWaitingForDisks) {
  EXPECT_EQ(parse_busy_time("cpu  100 20 30 9000 500 4 5 6 100 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n"), 1650ms);
  EXPECT_FALSE(parse_busy_time("cpu 100 20\n"));
  EXPECT_FALSE(parse_busy_time("cpu0 1 1 1 1 1 1 1 1 1 1\n"));
}

TEST(Machine, ReadsUptimeAndProcessorsAndWhatThisProcessHolds) {
  EXPECT_EQ(parse_uptime("3600.50 7000.00\n"), 3600500ms);
  EXPECT_FALSE(parse_uptime("soon\n"));
  const std::string status = "Name:\tx\nVmRSS:\t  2048 kB\nCpus_allowed_list:\t0-3,8\n";
  EXPECT_EQ(parse_allowed_processors(status), 5U);
  EXPECT_EQ(parse_resident_bytes(status), 2 * mib);
  EXPECT_FALSE(parse_allowed_processors("Cpus_allowed_list:\t3-1\n"));
  EXPECT_FALSE(parse_allowed_processors("Cpus_allowed:\tff\n"));
}

TEST(Machine, ALinkThatDoesNotKnowItsSpeedTellsNone) {
  EXPECT_EQ(parse_link_speed("1000\n"), 1000U);
  EXPECT_FALSE(parse_link_speed("-1\n"));
  EXPECT_FALSE(parse_link_speed(""));
}

TEST(Machine, AControlGroupOfVersionTwoIsInOneHierarchy) {
  const ControlGroup group = parse_control_group("0::/system.slice/cidbus.service\n", "memory");
  EXPECT_TRUE(group.unified);
  EXPECT_THAT(group.folders, ElementsAre("/system.slice/cidbus.service", "/system.slice", ""));
}

TEST(Machine, AControlGroupOfVersionOneHasAHierarchyForItsController) {
  const std::string text = "4:memory:/a/b\n2:cpu,cpuacct:/c\n1:name=systemd:/d\n0::/e\n";
  const ControlGroup memory = parse_control_group(text, "memory");
  EXPECT_FALSE(memory.unified);
  EXPECT_THAT(memory.folders, ElementsAre("memory/a/b", "memory/a", "memory"));
  EXPECT_THAT(parse_control_group(text, "cpuacct").folders, ElementsAre("cpuacct/c", "cpuacct"));
  EXPECT_THAT(parse_control_group(text, "pids").folders, ElementsAre("/e", "")) << "left to version 2";
}

TEST(Machine, WithoutControlGroupsTheTopIsLookedAt) {
  EXPECT_THAT(parse_control_group("", "memory").folders, ElementsAre(""));
  EXPECT_THAT(parse_control_group("nonsense\n", "memory").folders, ElementsAre(""));
}

TEST(Machine, NoLimitIsWrittenInTwoWays) {
  EXPECT_EQ(parse_memory_limit("1048576\n"), mib);
  EXPECT_FALSE(parse_memory_limit("max\n"));
  EXPECT_FALSE(parse_memory_limit("9223372036854771712\n"));
  EXPECT_EQ(parse_cpu_limit("50000 100000\n"), 0.5);
  EXPECT_FALSE(parse_cpu_limit("max 100000\n"));
  EXPECT_FALSE(parse_cpu_limit("-1\n 100000\n"));
}

TEST(Machine, AShareNarrowsWhatTheHostHasAndNeverWidensIt) {
  Machine machine;
  machine.memory_bytes = 1000 * mib;
  machine.memory_available_bytes = 800 * mib;
  machine.cores = 4;
  limit_memory(machine, {2000 * mib, 0});
  limit_cores(machine, 8);
  EXPECT_EQ(machine.memory_bytes, 1000 * mib);
  EXPECT_FALSE(machine.memory_is_limited || machine.cores_are_limited);
  limit_memory(machine, {500 * mib, 200 * mib});
  limit_cores(machine, 0.5);
  EXPECT_EQ(machine.memory_bytes, 500 * mib);
  EXPECT_EQ(machine.memory_available_bytes, 300 * mib);
  EXPECT_EQ(machine.cores, 0.5);
  EXPECT_TRUE(machine.memory_is_limited && machine.cores_are_limited);
  limit_memory(machine, {100 * mib, 150 * mib});
  EXPECT_EQ(machine.memory_available_bytes, 0U) << "over its limit for a moment";
}

}  // namespace
}  // namespace cidbus
