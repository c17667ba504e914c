// The worker role: runs tasks in its slots, stores blocks, and serves them to other nodes.
//
// Its own thread renews leases, answers the leader and counts; slots run handlers, the exchange serves
// blocks, each on threads of their own, so no task can hold up a lease.
//
// Stopping in order (SIGTERM): it takes nothing more, hands back what has not begun, waits for the rest until
// the drain time is over, hands that back too, says goodbye. stop_now() ends the drain time: what is running
// is handed back at once, and costs the task no strike, as the death of its worker would.
//
// Thread rule: RoleThread. Limits: WorkerCore's, BlockStore's.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "shared/io/bus_link.h"
#include "shared/io/hosted_role.h"
#include "shared/io/role_thread.h"
#include "worker/handlers/handler.h"

namespace cidbus {

struct WorkerOptions {
  NodeIdentity identity;
  std::vector<std::string> brokers;
  std::string data;      // folder of its blocks
  std::string exchange;  // HOST:PORT where it serves them; port * for a free one
  std::uint32_t slots = 1;
  std::string store;  // of its blocks: pack or rocksdb; empty: as the folder has it, else the default
  ByteCount storage_max_bytes = 0;  // 0: the disk alone bounds it
  Duration drain = std::chrono::seconds(30);
  bool votes_by_hand = false;  // a person says what it votes for (shared/node/opinion.h)
  std::string http = {};       // HOST:PORT of /metrics, /livez and /readyz; empty: nowhere
};

class WorkerServer : public RoleThread, public HandsOver {
 public:
  // REQUIRES: everything referred to outlives it.
  WorkerServer(SocketContext& context, WorkerOptions options, const HandlerRegistry& handlers, Log& log);
  ~WorkerServer() override;
  // Opens the store and the sockets. TryAgain when another process has the folder, BadUsage for a bad
  // address.
  Status open();
  // HOST:PORT of its exchange. REQUIRES: open() succeeded.
  [[nodiscard]] std::string exchange_address() const;

  // HOST:PORT of HTTP. REQUIRES: open() succeeded, and the options name one.
  [[nodiscard]] const std::string& http_address() const;

  void stop_now() override;
  // Every block that only this worker holds; TryAgain when no other node stores blocks.
  Status hand_over(const std::function<bool()>& stopped) override;

 private:
  void on_stop(Now now) override;

  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cidbus
