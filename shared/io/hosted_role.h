// A role with all that it stands on (its log, its sockets, its handlers), as one thing that a process runs.
//
// A role's own program hosts one; cidbus-node hosts any, one after another or several at once.
//
// Thread rule: the owner's thread, as RunningRole. Limits: none.
#pragma once

#include <functional>
#include <memory>

#include "shared/io/log.h"
#include "shared/io/process.h"
#include "shared/io/socket.h"

namespace cidbus {

// A role that may hold what nobody else has.
class HandsOver {
 public:
  virtual ~HandsOver() = default;
  // Brings it to other nodes while the role runs, on the caller's thread. A fault: it must not go yet, and
  // why. Ends soon once `stopped` says true.
  virtual Status hand_over(const std::function<bool()>& stopped) = 0;
};

class HostedRole : public RunningRole, public HandsOver {
 public:
  // `beneath`: whatever else the role refers to.
  HostedRole(std::unique_ptr<Log> log, Trust trust, std::shared_ptr<const void> beneath = {})
      : beneath_(std::move(beneath)), log_(std::move(log)), sockets_(std::move(trust)) {}

  Log& log() { return *log_; }
  SocketContext& sockets() { return sockets_; }
  // REQUIRES: called before all that follows; the role is open.
  void host(std::unique_ptr<RunningRole> role) { role_ = std::move(role); }

  [[nodiscard]] int ended_descriptor() const override { return role_->ended_descriptor(); }
  void ask_to_stop() override { role_->ask_to_stop(); }
  void stop_now() override { role_->stop_now(); }
  Status wait() override { return role_->wait(); }
  void change_log_level(int steps_louder) override {
    log_->change_level(steps_louder);
    role_->change_log_level(steps_louder);  // one that hosts others
  }
  Status hand_over(const std::function<bool()>& stopped) override {
    auto* const holder = dynamic_cast<HandsOver*>(role_.get());
    return holder == nullptr ? Status{} : holder->hand_over(stopped);
  }

 private:
  const std::shared_ptr<const void> beneath_;
  const std::unique_ptr<Log> log_;
  SocketContext sockets_;
  std::unique_ptr<RunningRole> role_;  // ends before what it stands on
};

// Opens a Server on the given ground; its options come behind the context, before the log.
template <typename Server, typename... Options>
Result<std::unique_ptr<RunningRole>> open_hosted(std::unique_ptr<HostedRole> hosted, Options&&... options) {
  auto server = std::make_unique<Server>(hosted->sockets(), std::forward<Options>(options)..., hosted->log());
  if (Status opened = server->open(); !opened) return tl::unexpected(opened.error());
  hosted->host(std::move(server));
  return std::unique_ptr<RunningRole>(std::move(hosted));
}

}  // namespace cidbus
