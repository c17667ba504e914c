// The gateway role: the cluster's content over HTTP.
//
// It is a member of the cluster (hello, heartbeats, goodbye), and takes no part in running it. HTTP and
// fetching have threads of their own (content_server.h); what is in the cache is served whether or not a
// broker is there.
//
// Thread rule: RoleThread. Limits: ContentServer's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "shared/base/limits/http.h"
#include "shared/io/bus_link.h"
#include "shared/io/role_thread.h"

namespace cidbus {

struct GatewayOptions {
  NodeIdentity identity;
  std::vector<std::string> brokers;
  std::string http = "127.0.0.1:8080";  // HOST:PORT; port 0 for a free one
  ByteCount cache_bytes = limits::http_cache_bytes;
  Duration fetch_time = limits::http_fetch_time;       // how long a block is waited for
  Duration unknown_time = limits::unknown_block_time;  // and one that no node is said to hold
};

class Gateway : public RoleThread {
 public:
  // REQUIRES: context and log outlive it.
  Gateway(SocketContext& context, GatewayOptions options, Log& log);
  ~Gateway() override;
  // BadUsage when an option makes no sense, Failed when the HTTP address cannot be listened on.
  Status open();
  // HOST:PORT of HTTP. REQUIRES: open() was Ok
  [[nodiscard]] const std::string& http_address() const;

 private:
  void on_stop(Now now) override;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cidbus
