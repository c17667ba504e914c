#include "client/command/interrupt.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

#include "shared/base/ensure.h"
#include "shared/io/process.h"

namespace cidbus {
namespace {

constexpr int orderly_milliseconds = 1000;  // for waiting to end and for half a folder to be cleared away

}  // namespace

Interrupt::Interrupt()
    : caught_descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      stop_descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  ENSURE(caught_descriptor_ >= 0 && stop_descriptor_ >= 0, "errno", errno);
  thread_ = std::thread([this] { watch(); });
}

Interrupt::~Interrupt() {
  eventfd_write(stop_descriptor_, 1);
  thread_.join();
  close(caught_descriptor_);
  close(stop_descriptor_);
}

void Interrupt::watch() {
  const sigset_t signals = stop_signals();
  const int descriptor = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  ENSURE(descriptor >= 0, "errno", errno);
  pollfd watched[2] = {{descriptor, POLLIN, 0}, {stop_descriptor_, POLLIN, 0}};
  while (true) {
    const int ready = poll(watched, 2, signal_ == 0 ? -1 : orderly_milliseconds);
    if (ready < 0) continue;
    if ((watched[1].revents & POLLIN) != 0) break;
    signalfd_siginfo info{};
    const bool again = signal_ != 0;
    if (!again && read(descriptor, &info, sizeof(info)) != static_cast<ssize_t>(sizeof(info))) continue;
    if (again) _exit(128 + signal_);  // the second signal, or the time for an orderly end is over
    signal_ = static_cast<int>(info.ssi_signo);
    eventfd_write(caught_descriptor_, 1);
  }
  close(descriptor);
}

}  // namespace cidbus
