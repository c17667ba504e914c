#include "shared/io/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "shared/base/ensure.h"
#include "shared/content/quote.h"

namespace cidbus {
namespace {

// An orderly end that takes longer than this is told of.
constexpr int end_soon_milliseconds = 3000;

sigset_t watched_signals() {
  sigset_t signals = stop_signals();
  sigaddset(&signals, SIGUSR1);
  sigaddset(&signals, SIGUSR2);
  return signals;
}

void tell_that_it_stops(std::string_view program) {
  std::fprintf(stderr, "%.*s: stopping in order; SIGTERM or Ctrl+C once more ends it at once\n",
               static_cast<int>(program.size()), program.data());
}

}  // namespace

// open() gives the lowest number that is free, so each of the three is either open already or the one opened.
void hold_standard_descriptors() {
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(standard, F_GETFD) != -1) continue;
    const int opened = open("/dev/null", standard == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    ENSURE(opened == standard, "descriptor", opened);
  }
}

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  struct sigaction hang_up {};
  sigaction(SIGHUP, nullptr, &hang_up);
  if (hang_up.sa_handler == SIG_DFL) sigaddset(&signals, SIGHUP);
  return signals;
}

void block_stop_signals() {
  const sigset_t signals = watched_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

int run_until_signalled(std::string_view program, RunningRole& role) {
  const sigset_t signals = watched_signals();
  const int descriptor = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  ENSURE(descriptor >= 0, "errno", errno);
  bool asked = false;
  bool told = false;  // that it takes time, and how to end it
  int ended_by = 0;
  pollfd watched[2] = {{descriptor, POLLIN, 0}, {role.ended_descriptor(), POLLIN, 0}};
  while (true) {
    const int ready = poll(watched, 2, asked && !told ? end_soon_milliseconds : -1);
    if (ready == 0) {
      tell_that_it_stops(program);
      told = true;
    }
    if (ready <= 0) continue;
    if ((watched[1].revents & POLLIN) != 0) break;
    signalfd_siginfo info{};
    if (read(descriptor, &info, sizeof(info)) != static_cast<ssize_t>(sizeof(info))) continue;
    if (info.ssi_signo == SIGUSR1 || info.ssi_signo == SIGUSR2) {
      role.change_log_level(info.ssi_signo == SIGUSR1 ? 1 : -1);
      continue;
    }
    if (asked && info.ssi_signo == SIGHUP) continue;  // it often comes behind one that asked
    if (asked) {
      ended_by = static_cast<int>(info.ssi_signo);
      role.stop_now();
      break;
    }
    asked = true;
    role.ask_to_stop();
  }
  close(descriptor);
  const Status status = role.wait();
  if (!status) return report_fault(program, status.error());
  return ended_by == 0 ? 0 : 128 + ended_by;
}

Status print_answer(std::string_view text) {
  const bool printed = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (printed && std::fflush(stdout) == 0) return {};
  if (errno == EPIPE) return fault(FaultKind::Failed, "");
  const FaultKind kind = errno == ENOSPC || errno == EDQUOT ? FaultKind::TryAgain : FaultKind::Failed;
  return fault(kind, std::string("cannot write to standard output: ") + std::strerror(errno) +
                         "; the answer is not complete");
}

int report_fault(std::string_view program, const Fault& fault) {
  if (!fault.message.empty()) {
    std::fprintf(stderr, "%.*s: %s\n", static_cast<int>(program.size()), program.data(),
                 escaped(fault.message).c_str());
  }
  return exit_code(fault.kind);
}

}  // namespace cidbus
