#include "node/stage.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "shared/base/ensure.h"

namespace cidbus {
namespace {

bool is_readable(const pollfd& entry) { return (entry.revents & POLLIN) != 0; }

void wait_for(std::vector<pollfd>& entries) {
  while (poll(entries.data(), entries.size(), -1) < 0) ENSURE(errno == EINTR, "errno", errno);
}

}  // namespace

Stage::Stage()
    : ended_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), hurry_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  ENSURE(ended_ >= 0 && hurry_ >= 0, "errno", errno);
}

Stage::~Stage() {
  ENSURE(!thread_.joinable());
  while (!roles_.empty()) roles_.pop_back();
  close(ended_);
  close(hurry_);
}

Status Stage::open(const std::vector<OpenRole>& roles) {
  for (const OpenRole& open_one : roles) {
    auto role = open_one();
    if (!role) {
      stop_all();
      return tl::unexpected(role.error());
    }
    roles_.push_back(*std::move(role));
  }
  thread_ = std::thread([this] { run(); });
  return {};
}

void Stage::run() {
  std::vector<pollfd> entries{{asked_.fd(), POLLIN, 0}, {hurry_, POLLIN, 0}};
  for (const auto& role : roles_) entries.push_back({role->ended_descriptor(), POLLIN, 0});
  wait_for(entries);
  stop_all();
  eventfd_write(ended_, 1);
}

void Stage::stop_all() {
  for (std::size_t place = roles_.size(); place-- > 0;) {
    stop(*roles_[place]);
  }
}

void Stage::stop(RunningRole& role) {
  std::vector<pollfd> entries{{role.ended_descriptor(), POLLIN, 0}, {hurry_, POLLIN, 0}};
  role.ask_to_stop();
  wait_for(entries);
  if (!is_readable(entries[0])) role.stop_now();
  const Status ended = role.wait();
  if (status_ && !ended) status_ = ended;
}

void Stage::stop_now() { eventfd_write(hurry_, 1); }

void Stage::change_log_level(int steps_louder) {
  for (const auto& role : roles_) role->change_log_level(steps_louder);
}

Status Stage::wait() {
  if (thread_.joinable()) thread_.join();
  return status_;
}

}  // namespace cidbus
