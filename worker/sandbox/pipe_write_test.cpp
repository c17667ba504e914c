#include "worker/sandbox/pipe_write.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace cidbus {
namespace {

// A pipe that nobody reads, in a program that has left SIGPIPE as it was.
class PipeWrite : public ::testing::Test {
 protected:
  void SetUp() override {
    ::signal(SIGPIPE, SIG_DFL);
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    ::close(ends[0]);
    pipe = FileDescriptor(ends[1]);
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
  }
  static bool is_pending() {
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, SIGPIPE) == 1;
  }
  static bool is_blocked() {
    sigset_t blocked;
    pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
    return sigismember(&blocked, SIGPIPE) == 1;
  }

  FileDescriptor pipe;
  sigset_t broken_pipe{};
};

TEST_F(PipeWrite, SaysThatNobodyReadsAndLeavesNoSignalBehind) {
  for (int time = 0; time < 2; ++time) {
    errno = 0;
    EXPECT_EQ(write_to_pipe(pipe, as_bytes("x")), -1);
    EXPECT_EQ(errno, EPIPE);
    EXPECT_FALSE(is_pending());
    EXPECT_FALSE(is_blocked()) << "the program's other pipes are as they were";
  }
}

TEST_F(PipeWrite, DoesTheSameWhereTheProgramIgnoresTheSignal) {
  ::signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(write_to_pipe(pipe, as_bytes("x")), -1);
  EXPECT_EQ(errno, EPIPE);
  ::signal(SIGPIPE, SIG_DFL);
  EXPECT_FALSE(is_pending());
}

TEST_F(PipeWrite, LeavesASignalThatWasWaitingAlready) {
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  ::raise(SIGPIPE);
  EXPECT_EQ(write_to_pipe(pipe, as_bytes("x")), -1);
  EXPECT_TRUE(is_pending());
  EXPECT_TRUE(is_blocked());
  const timespec at_once{};
  EXPECT_EQ(sigtimedwait(&broken_pipe, nullptr, &at_once), SIGPIPE);
  pthread_sigmask(SIG_UNBLOCK, &broken_pipe, nullptr);
}

}  // namespace
}  // namespace cidbus
