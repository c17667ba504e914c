#include "shared/io/machine_reader.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temporary_folder.h"

namespace cidbus {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
constexpr std::uint64_t mib = 1 << 20;

// A folder that stands for a machine's root.
class MachineReader : public testing::Test {
 protected:
  void SetUp() override {
    write("/proc/meminfo", "MemTotal: 8388608 kB\nMemAvailable: 6291456 kB\n");
    write("/proc/stat", "cpu 100 0 0 1000 0 0 0 0 0 0\n");
    write("/proc/uptime", "7200.0 1.0\n");
    write("/proc/self/status", "VmRSS: 1024 kB\nCpus_allowed_list: 0-3\n");
  }
  void write(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path(root + path).parent_path());
    std::ofstream(root + path) << text;
  }

  TemporaryFolder folder;
  const std::string& root = folder.path();
};

TEST_F(MachineReader, WithoutLimitsItIsTheHost) {
  write("/proc/self/cgroup", "0::/\n");
  const Machine machine = read_machine(root, root);
  EXPECT_EQ(machine.memory_bytes, 8192 * mib);
  EXPECT_EQ(machine.memory_available_bytes, 6144 * mib);
  EXPECT_EQ(machine.own_bytes, mib);
  EXPECT_EQ(machine.cores, 4);
  EXPECT_EQ(machine.cpu_used, 1s);
  EXPECT_EQ(machine.uptime, 2h);
  EXPECT_GT(machine.disk_bytes, machine.disk_available_bytes / 2);
  EXPECT_FALSE(machine.link_megabits);
  EXPECT_FALSE(machine.memory_is_limited || machine.cores_are_limited);
}

TEST_F(MachineReader, WhatItsOwnProcessesUseIsToldApart) {
  write("/proc/pressure/cpu", "some avg10=1.00 avg60=2.00 avg300=3.00 total=2500000\nfull avg10=0 total=9\n");
  write("/proc/self/stat", "7 (a (b) c) S 1 1 1 0 -1 0 0 0 0 0 100 50 25 25 20 0\n");
  write("/proc/self/task/7/children", "8 9 ");
  write("/proc/self/task/70/children", "");
  write("/proc/8/stat", "8 (x) S 1 1 1 0 -1 0 0 0 0 0 300 0 0 0 20 0\n");
  write("/proc/8/task/8/children", "10 ");
  write("/proc/10/stat", "10 (y) S 1 1 1 0 -1 0 0 0 0 0 0 100 0 0 20 0\n");
  const Machine machine = read_machine(root, root);
  EXPECT_EQ(machine.cpu_stalled, 2500ms);
  EXPECT_EQ(machine.own_cpu_used, 6s)
      << "2 of its own and of ended ones, 3 and 1 of those that run; 9 is gone";
  write("/proc/self/cgroup", "0::/box\n");
  write("/sys/fs/cgroup/box/cpu.pressure", "some avg10=0 total=1000\n");
  EXPECT_EQ(read_machine(root, root).cpu_stalled, 1ms) << "of its share";
}

TEST_F(MachineReader, AContainerOfVersionTwoIsItsShare) {
  write("/proc/self/cgroup", "0::/pod/box\n");
  write("/sys/fs/cgroup/pod/box/memory.max", "max\n");
  write("/sys/fs/cgroup/pod/memory.max", "1073741824\n");
  write("/sys/fs/cgroup/pod/memory.current", "805306368\n");
  write("/sys/fs/cgroup/pod/memory.stat", "anon 1\ninactive_file 134217728\nactive_file 134217728\n");
  write("/sys/fs/cgroup/pod/box/cpu.max", "150000 100000\n");
  write("/sys/fs/cgroup/pod/box/cpu.stat", "usage_usec 2500000\nuser_usec 1\n");
  const Machine machine = read_machine(root, root);
  EXPECT_EQ(machine.memory_bytes, 1024 * mib) << "the limit of the group above holds as well";
  EXPECT_EQ(machine.memory_available_bytes, 512 * mib) << "page cache counts as available";
  EXPECT_EQ(machine.cores, 1.5);
  EXPECT_EQ(machine.cpu_used, 2500ms) << "of the group, not of the host";
}

TEST_F(MachineReader, AContainerOfVersionOneIsItsShareThoughItsPathIsTheHosts) {
  write("/proc/self/cgroup", "4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n");
  write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "536870912\n");
  write("/sys/fs/cgroup/memory/memory.usage_in_bytes", "268435456\n");
  write("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n");
  write("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  write("/sys/fs/cgroup/cpuacct/cpuacct.usage", "3000000000\n");
  const Machine machine = read_machine(root, root);
  EXPECT_EQ(machine.memory_bytes, 512 * mib);
  EXPECT_EQ(machine.memory_available_bytes, 256 * mib);
  EXPECT_EQ(machine.cores, 0.5);
  EXPECT_EQ(machine.cpu_used, 3s);
}

TEST_F(MachineReader, TheFastestLinkThatIsUpCounts) {
  write("/sys/class/net/lo/speed", "100000\n");
  write("/sys/class/net/eth0/speed", "1000\n");
  write("/sys/class/net/eth1/speed", "10000\n");
  write("/sys/class/net/eth1/operstate", "down\n");
  write("/sys/class/net/wlan0/speed", "-1\n");
  EXPECT_EQ(read_machine(root, root).link_megabits, 1000U);
}

TEST_F(MachineReader, AFolderThatIsNotThereIsOnItsParentsDisk) {
  EXPECT_EQ(read_machine(root + "/not/yet", root).disk_bytes, read_machine(root, root).disk_bytes);
}

TEST(ThisMachine, IsMeasured) {
  const Machine machine = read_machine(".");
  EXPECT_GT(machine.memory_bytes, machine.own_bytes);
  EXPECT_GT(machine.cores, 0);
  EXPECT_GT(machine.cpu_used, 0s);
  EXPECT_GT(machine.uptime, 0s);
  EXPECT_GT(machine.disk_bytes, 0U);
}

}  // namespace
}  // namespace cidbus
