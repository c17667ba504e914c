// Programs that do their worst, each in a sandbox. What a person sees of them: tests/processes/exec_test.py.
#include "worker/sandbox/sandbox.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "worker/sandbox/tail.h"

namespace cidbus {
namespace {

using How = SandboxEnd::How;

SandboxProgram shell(const std::string& script) {
  SandboxProgram program;
  program.command = {"/bin/sh", "-c", script};
  program.limits = {.memory = 64 << 20, .space = 8 << 20, .processes = 16, .time = std::chrono::seconds(20)};
  return program;
}

SandboxEnd run(const SandboxProgram& program, SandboxHooks hooks = {}) {
  auto sandbox = Sandbox::start(program, std::move(hooks));
  if (!sandbox) {
    ADD_FAILURE() << sandbox.error().message;
    return {};
  }
  sandbox->begin();
  return sandbox->finish();
}

TEST(Sandbox, GivesExitCodeAndTheEndOfWhatWasSaid) {
  const SandboxEnd end = run(shell("echo out; echo err >&2; exit 3"));
  EXPECT_EQ(end.how, How::Exited);
  EXPECT_EQ(end.number, 3);
  EXPECT_EQ(end.output, "out\n");
  EXPECT_EQ(end.errors, "err\n");
}

TEST(Sandbox, NamesTheSignalThatKilledIt) {
  const SandboxProgram program = shell("kill -SEGV $$");
  const SandboxEnd end = run(program);
  EXPECT_EQ(end.how, How::Signalled);
  EXPECT_EQ(describe(end, program.limits), "was killed by signal 11 (Segmentation fault)");
}

TEST(Sandbox, IsEntirelyReadOnlyButForItsWorkFolder) {
  const SandboxEnd end =
      run(shell("for place in / /usr /usr/bin /dev /proc /etc /proc/sys/kernel; do"
                " if touch $place/x 2>/dev/null; then echo wrote $place; fi; done;"
                " touch /task/x /tmp/x /dev/shm/x && echo fine"));
  EXPECT_EQ(end.output, "fine\n") << end.errors;
}

TEST(Sandbox, SeesNothingOfTheMachineButTheSystem) {
  ::setenv("CIDBUS_SECRET", "secret", 1);
  const SandboxEnd end = run(shell(
      "ls / | tr '\\n' ' '; echo; ls /proc | grep -c '^[0-9]'; ls /etc/passwd /etc/shadow /root /home; env;"
      "cat /proc/*/environ | tr '\\0' '\\n'"));
  EXPECT_EQ(end.output.substr(0, end.output.find('\n')), "bin dev etc lib lib64 proc sbin task tmp usr ");
  EXPECT_EQ(end.output.find("/etc/"), std::string::npos) << end.output;
  EXPECT_EQ(end.output.find("secret"), std::string::npos) << end.output;
}

TEST(Sandbox, HasNoNetworkAndNoPower) {
  const SandboxEnd end =
      run(shell("tail -n +3 /proc/net/dev | cut -d: -f1; grep CapEff /proc/self/status; id -u;"
                "unshare -U true 2>/dev/null || echo no namespace"));
  EXPECT_EQ(end.output, "    lo\nCapEff:\t0000000000000000\n65534\nno namespace\n");
}

TEST(Sandbox, BoundsItsFolder) {
  const SandboxEnd end =
      run(shell("dd if=/dev/zero of=/task/a bs=1M count=6; dd if=/dev/zero of=/task/b bs=1M count=6"));
  EXPECT_EQ(end.number, 1);
  EXPECT_NE(end.errors.find("No space left"), std::string::npos) << end.errors;
}

TEST(Sandbox, BoundsProcesses) {
  const SandboxEnd end = run(shell("for i in $(seq 40); do sleep 9 & done; echo all"));
  EXPECT_NE(end.errors.find("Cannot fork"), std::string::npos) << end.errors;
}

TEST(Sandbox, TwoAtOnceDoNotShareTheirProcesses) {
  auto one = Sandbox::start(shell("for i in $(seq 10); do sleep 1 & done; echo fine"), {});
  auto other = Sandbox::start(shell("for i in $(seq 10); do sleep 1 & done; echo fine"), {});
  ASSERT_TRUE(one && other);
  one->begin();
  other->begin();
  EXPECT_EQ(one->finish().output, "fine\n");
  EXPECT_EQ(other->finish().output, "fine\n");
}

TEST(Sandbox, BoundsTheMemoryOfOneProcess) {
  SandboxProgram program = shell("");
  program.command = {"/usr/bin/python3", "-c", "b = bytearray(300 << 20); print('got it')"};
  const SandboxEnd end = run(program);
  EXPECT_EQ(end.output, "");
  EXPECT_TRUE(end.how == How::TooMuchMemory || end.number != 0);
}

TEST(Sandbox, BoundsTheMemoryOfAllTogether) {
  SandboxProgram program = shell("");
  program.command = {"/usr/bin/python3", "-c",
                     "import os, time\n"
                     "for i in range(6): \n"
                     "  if os.fork() == 0: b = bytearray(os.urandom(1 << 20) * 24); time.sleep(60)\n"
                     "time.sleep(60)"};
  EXPECT_EQ(run(program).how, How::TooMuchMemory);
}

TEST(Sandbox, SeesMemoryThatNobodyMaps) {
  SandboxProgram program = shell("");
  program.limits.space = 256 << 20;
  program.command = {"/usr/bin/python3", "-c",
                     "import os, time\n"
                     "f = os.memfd_create('x')\n"
                     "for i in range(128): os.write(f, bytes(1 << 20))\n"
                     "time.sleep(60)"};
  EXPECT_EQ(run(program).how, How::TooMuchMemory);
}

// Memory that belongs to no process would be counted by nobody.
TEST(Sandbox, RefusesMemoryThatOutlivesProcesses) {
  SandboxProgram program = shell("");
  program.command = {
      "/usr/bin/python3", "-c",
      "import ctypes, errno\n"
      "c = ctypes.CDLL(None, use_errno=True)\n"
      "for got in (c.shmget(0, 1 << 20, 0o1600), c.msgget(0, 0o1600), c.semget(0, 1, 0o1600)):\n"
      "  print(got, errno.errorcode[ctypes.get_errno()])"};
  EXPECT_EQ(run(program).output, "-1 ENOSYS\n-1 ENOSYS\n-1 ENOSYS\n");
}

TEST(Sandbox, CountsWhatForksShareOnce) {
  SandboxProgram program = shell("");
  program.command = {"/usr/bin/python3", "-c",
                     "import os, time\n"
                     "b = bytearray(os.urandom(1 << 20) * 20)\n"
                     "for i in range(6):\n"
                     "  if os.fork() == 0: time.sleep(0.3); os._exit(0)\n"
                     "time.sleep(0.4); print('fine')"};
  const SandboxEnd end = run(program);
  EXPECT_EQ(end.output, "fine\n") << describe(end, program.limits) << end.errors;
}

TEST(Sandbox, EndsAtItsTimeWhoeverIgnoresSignals) {
  SandboxProgram program = shell("trap '' TERM INT HUP; while :; do sleep 0.05; done");
  program.limits.time = std::chrono::milliseconds(200);
  EXPECT_EQ(run(program).how, How::TimedOut);
}

TEST(Sandbox, EndsWhenItIsCancelled) {
  std::atomic<int> asked{0};
  const SandboxEnd end = run(shell("sleep 60"), {.cancelled = [&] { return ++asked > 3; }, .on_output = {}});
  EXPECT_EQ(end.how, How::Cancelled);
}

TEST(Sandbox, LeavesNoProcessBehind) {
  // The daemon would go on printing to the pipe; finish() saw its end, so nobody holds it any more.
  const SandboxEnd end = run(shell("setsid sh -c 'while :; do sleep 0.01; echo x; done' & echo done"));
  EXPECT_EQ(end.how, How::Exited);
  EXPECT_EQ(end.number, 0);
}

TEST(Sandbox, KeepsTheEndOfAFlood) {
  const SandboxEnd end = run(shell("head -c 50000000 /dev/zero | tr '\\0' 'x'; echo end"));
  EXPECT_EQ(end.output.size(), 4000U);
  EXPECT_TRUE(end.output.ends_with("xend\n"));
}

TEST(Sandbox, TakesItsOutputAndStopsWhenThereIsNoRoom) {
  Bytes taken;
  const auto take = [&](ByteView bytes) -> Status {
    taken.insert(taken.end(), bytes.begin(), bytes.end());
    if (taken.size() > 1000) return fault(FaultKind::TryAgain, "no room");
    return {};
  };
  EXPECT_EQ(run(shell("yes"), {.cancelled = {}, .on_output = take}).how, How::TooMuchOutput);
}

TEST(Sandbox, FeedsStandardInputAndSaysWhenItIsNotTaken) {
  auto sandbox = Sandbox::start(shell("wc -c"), {});
  ASSERT_TRUE(sandbox);
  sandbox->begin();
  const Bytes megabyte(1 << 20, 'x');
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(sandbox->feed(megabyte));
  EXPECT_EQ(sandbox->finish().output, "20971520\n");

  auto deaf = Sandbox::start(shell("exit 0"), {});
  ASSERT_TRUE(deaf);
  deaf->begin();
  EXPECT_FALSE(deaf->feed(megabyte));
  EXPECT_EQ(deaf->finish().number, 0);
}

TEST(Sandbox, HoldsItsFolderBeforeAndAfter) {
  auto sandbox = Sandbox::start(shell("tr a-z A-Z </task/in >/task/out"), {});
  ASSERT_TRUE(sandbox);
  const Status written = sandbox->as_program_user([&]() -> Status {
    std::ofstream(sandbox->folder() + "/in") << "hello";
    return {};
  });
  ASSERT_TRUE(written);
  sandbox->begin();
  EXPECT_EQ(sandbox->finish().number, 0);
  std::string text;
  std::ifstream(sandbox->folder() + "/out") >> text;
  EXPECT_EQ(text, "HELLO");
}

TEST(Sandbox, IsGoneWhenItIsDroppedBeforeItBegan) {
  auto sandbox = Sandbox::start(shell("sleep 60"), {});
  EXPECT_TRUE(sandbox);
}

TEST(Sandbox, SaysWhatIsNotThere) {
  SandboxProgram program = shell("true");
  program.read_only = {"/nowhere/at/all"};
  const Status checked = check_sandbox(program);
  ASSERT_FALSE(checked);
  EXPECT_NE(checked.error().message.find("/nowhere/at/all"), std::string::npos) << checked.error().message;
}

TEST(Tail, KeepsTheEnd) {
  Tail tail(4);
  EXPECT_EQ(tail.text(), "");
  tail.add("ab");
  EXPECT_EQ(tail.text(), "ab");
  tail.add("cdefg");
  EXPECT_EQ(tail.text(), "defg");
  for (int i = 0; i < 100; ++i) tail.add("x");
  tail.add("yz");
  EXPECT_EQ(tail.text(), "xxyz");
}

}  // namespace
}  // namespace cidbus
