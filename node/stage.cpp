#include "node/stage.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "shared/base/ensure.h"
#include "shared/io/hosted_role.h"

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
  bool goes_on = true;
  while (goes_on) {
    std::vector<pollfd> entries{{changes_.fd(), POLLIN, 0}, {levels_.fd(), POLLIN, 0}};
    const auto orders = static_cast<std::ptrdiff_t>(entries.size());  // what is behind them ends the stage
    entries.push_back({asked_.fd(), POLLIN, 0});
    entries.push_back({hurry_, POLLIN, 0});
    for (const auto& role : roles_) entries.push_back({role->ended_descriptor(), POLLIN, 0});
    wait_for(entries);
    goes_on = std::none_of(entries.begin() + orders, entries.end(), is_readable);
    if (!goes_on) break;
    for (const int steps : levels_.take_all())
      for (const auto& role : roles_) role->change_log_level(steps);
    for (const Change& change : changes_.take_all()) goes_on = goes_on && make(change);
  }
  stop_all();
  eventfd_write(ended_, 1);
}

// False when the stage is to end.
bool Stage::make(const Change& change) {
  ENSURE(roles_.size() == 1, "roles", roles_.size());
  std::string left_behind;
  Status left = leave(change.force, left_behind);
  if (!left) {
    changed_.push({std::move(left), {}});
    return true;
  }
  if (is_stopping_ || !status_) return false;
  auto opened = change.next();
  Status entered = opened ? Status{} : tl::unexpected(opened.error());
  if (!opened) opened = change.back();
  if (!opened) {
    status_ = tl::unexpected(opened.error());
    return false;
  }
  roles_.push_back(*std::move(opened));
  changed_.push({std::move(entered), std::move(left_behind)});
  return true;
}

// The role is gone, or goes on as before: then why.
Status Stage::leave(bool force, std::string& left_behind) {
  RunningRole& role = *roles_.front();
  if (auto* const holder = dynamic_cast<HandsOver*>(&role)) {
    Status handed = holder->hand_over([this] { return is_stopping_.load(); });
    if (!handed && !force) return handed;
    if (!handed) left_behind = handed.error().message;
  }
  stop(role);
  roles_.clear();
  return {};
}

void Stage::stop_all() {
  for (std::size_t place = roles_.size(); place-- > 0;) stop(*roles_[place]);
}

void Stage::stop(RunningRole& role) {
  std::vector<pollfd> entries{{role.ended_descriptor(), POLLIN, 0}, {hurry_, POLLIN, 0}};
  role.ask_to_stop();
  wait_for(entries);
  if (!is_readable(entries[0])) role.stop_now();
  const Status ended = role.wait();
  if (status_ && !ended) status_ = ended;
}

void Stage::ask_to_stop() {
  is_stopping_ = true;
  asked_.push(true);
}

void Stage::stop_now() {
  is_stopping_ = true;
  eventfd_write(hurry_, 1);
}

void Stage::change_log_level(int steps_louder) { levels_.push(steps_louder); }

Status Stage::wait() {
  if (thread_.joinable()) thread_.join();
  return status_;
}

}  // namespace cidbus
