#include "shared/io/role_thread.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "shared/base/ensure.h"

namespace cidbus {

RoleThread::RoleThread() : ended_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  ENSURE(ended_ >= 0, "errno", errno);
  reactor_.at_turn_end([this](Now now) -> std::optional<Monotonic> {
    if (stop_asked_ && !stop_told_) {
      stop_told_ = true;
      on_stop(now);
    }
    return std::nullopt;
  });
}

RoleThread::~RoleThread() {
  ENSURE(!thread_.joinable());
  close(ended_);
}

void RoleThread::start() {
  reactor_.wake();  // a role that nobody speaks to yet is asked all the same when it wants its next turn
  thread_ = std::thread([this] {
    reactor_.run();
    eventfd_write(ended_, 1);
  });
}

void RoleThread::ask_to_stop() {
  stop_asked_ = true;
  reactor_.wake();
}

void RoleThread::stop_now() { reactor_.stop(); }

Status RoleThread::wait() {
  if (thread_.joinable()) thread_.join();
  return status_;
}

void RoleThread::end(Status status) {
  status_ = std::move(status);
  reactor_.stop();
}

}  // namespace cidbus
