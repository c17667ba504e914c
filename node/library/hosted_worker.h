// The worker of a program: built anew whenever the types it offers change, since a worker says once, when it
// comes, what it can run.
//
// Thread rule: one thread at a time; handlers run on those of its slots. Limits: those of WorkerServer.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cidbus/cluster/coordinator.h"
#include "shared/io/log.h"
#include "shared/io/node_options.h"
#include "shared/io/socket.h"
#include "worker/server.h"

namespace cidbus {

using TaskHandlers = std::map<std::string, v1::TaskHandler>;

struct HostedWorkerOptions {
  std::string cluster;
  std::string name;
  std::vector<std::string> brokers;
  std::string data;
  std::uint32_t slots = 1;
  Duration drain{};
  std::string exchange;  // HOST:PORT where it serves blocks
  KeyOptions keys;
};

class HostedWorker {
 public:
  explicit HostedWorker(HostedWorkerOptions options);
  ~HostedWorker();

  // Stops in order what runs, and starts with the standard types and these. BadUsage for a name that makes no
  // sense, TryAgain when another process has the folder.
  Status start(const TaskHandlers& handlers);
  void stop();
  [[nodiscard]] bool runs() const { return server_ != nullptr; }
  [[nodiscard]] const std::string& name() const { return options_.name; }
  [[nodiscard]] Incarnation incarnation() const { return incarnation_; }

 private:
  const HostedWorkerOptions options_;
  const std::unique_ptr<Log> log_;
  SocketContext context_;
  HandlerRegistry handlers_;
  Incarnation incarnation_;               // of the server
  std::unique_ptr<WorkerServer> server_;  // null while it does not run
};

}  // namespace cidbus
