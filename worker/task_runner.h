// Runs one task after another on a slot's thread: decodes its work, finds its handler, makes its results
// durable.
//
// Faults become outcomes: what may go better elsewhere or later (no room, a node that does not answer,
// content that nobody holds just now) asks for another try; what would fail again does not.
//
// Thread rule: one slot's thread. Limits: limits::result_bytes of values.
#pragma once

#include "shared/base/limits/tasks.h"
#include "shared/exchange/bus_block_index.h"
#include "worker/slots.h"
#include "worker/task_content.h"

namespace cidbus {

class TaskRunner : public JobRunner {
 public:
  struct Context {
    SocketContext& sockets;
    NodeIdentity identity;  // the worker's own
    std::vector<std::string> brokers;
    const HandlerRegistry& handlers;
    BlockStore& store;
    MemoryStore& cache;
  };
  explicit TaskRunner(const Context& context);

  JobEnd run(Job& job) override;

 private:
  Result<Bytes> run_handler(Job& job);

  const HandlerRegistry& handlers_;
  BusAsker asker_;
  BusBlockIndex index_;
  NetworkBlocks blocks_;
  TaskContent content_;
};

}  // namespace cidbus
