// The leecher role: content and submissions for one who is not always connected.
//
// It is a member of the cluster while a broker is there, and serves from what it has when none is: blocks out
// of its cache, over HTTP and to those who speak to its bus; submissions and added content into its outbox.
// DATA/cache and DATA/added are the blocks, DATA/outbox what was submitted, DATA/pins what is pinned.
//
// Thread rule: RoleThread. Limits: limits/leecher.h.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "shared/base/limits/leecher.h"
#include "shared/io/bus_link.h"
#include "shared/io/hosted_role.h"
#include "shared/io/log.h"
#include "shared/io/role_thread.h"

namespace cidbus {

struct LeecherOptions {
  NodeIdentity identity;
  std::vector<std::string> brokers;
  std::string data;                         // folder of all it keeps; made when it is not there
  std::string listen = "127.0.0.1:9120";    // HOST:PORT of its bus
  std::string exchange = "127.0.0.1:9121";  // HOST:PORT where it serves blocks; port * for a free one
  std::string http = "127.0.0.1:8090";      // HOST:PORT; port 0 for a free one
  ByteCount cache_bytes = limits::leecher_cache_bytes;
  ByteCount outbox_bytes = limits::leecher_outbox_bytes;  // of blocks added while cut off
};

class LeecherServer : public RoleThread, public HandsOver {
 public:
  // REQUIRES: context and log outlive it.
  LeecherServer(SocketContext& context, LeecherOptions options, Log& log);
  ~LeecherServer() override;
  // TryAgain when another process has the folder; BadUsage, BadData, Failed as for its parts.
  Status open();
  // HOST:PORT. REQUIRES: open() was Ok
  [[nodiscard]] std::string http_address() const;
  [[nodiscard]] std::string bus_address() const;
  // TryAgain while it owes the cluster submissions or content.
  Status hand_over(const std::function<bool()>& stopped) override;

 private:
  void on_stop(Now now) override;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cidbus
