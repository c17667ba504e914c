// Runs one task after another on a slot's thread: decodes its work, finds its handler, makes its results
// durable. A job that is cancelled waits for no block any longer.
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
    Pins& pins;
    MemoryStore& cache;
    // An input that the index knows nobody to hold: long enough for a node that has just come back to
    // announce it, and short enough that all tries of the task end while somebody waits for the reason.
    Duration unknown_patience = std::chrono::seconds(3);
  };
  explicit TaskRunner(const Context& context);

  JobEnd run(Job& job) override;

 private:
  JobEnd run_to_end(Job& job);
  Result<Bytes> run_handler(Job& job);

  NetworkBlocksOptions blocks_options(const Context& context) const;

  const HandlerRegistry& handlers_;
  const CancelToken* cancelled_ = nullptr;  // of the job that runs; ends its waiting for blocks
  BusAsker asker_;
  BusBlockIndex index_;
  NetworkBlocks blocks_;
  TaskContent content_;
};

}  // namespace cidbus
