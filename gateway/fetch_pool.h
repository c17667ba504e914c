// Threads that may wait for blocks, so that the one that serves HTTP never does.
//
// Each thread is an actor with a source of its own: block exchange is one conversation a thread. Work that
// goes on (a long body) comes back to the thread it began on, whose source has the rest under way already.
//
// Thread rule: run() and stop() by any thread; jobs run on the pool's. Limits: a connection has at most one
// job here, so limits::http_connections bounds the queues.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "shared/base/limits/http.h"
#include "shared/base/time.h"
#include "shared/content/block.h"
#include "shared/io/mailbox.h"

namespace cidbus {

class FetchPool {
 public:
  using Job = std::function<void(BlockSource&)>;
  // Makes the source of a thread, in the thread.
  using SourceFactory = std::function<std::unique_ptr<BlockSource>()>;

  // REQUIRES: threads >= 1
  FetchPool(std::size_t threads, SourceFactory make_source);
  ~FetchPool();
  FetchPool(const FetchPool&) = delete;
  FetchPool& operator=(const FetchPool&) = delete;

  // The thread with the least to do.
  [[nodiscard]] std::size_t least_busy() const;
  // A job that has not begun by `begin_by` is let go: who asked has been told otherwise by then.
  void run(std::size_t thread, Monotonic begin_by, Job job);
  // Ends when the jobs under way have; those that wait are let go.
  void stop();

 private:
  struct Order {
    Job job;  // empty: end
    Monotonic begin_by;
  };
  struct Fetcher {
    Mailbox<Order> orders;
    std::atomic<std::size_t> waiting{0};  // orders not yet done
    std::thread thread;
  };
  void work(Fetcher& fetcher, const SourceFactory& make_source);

  std::vector<std::unique_ptr<Fetcher>> fetchers_;
  std::atomic<bool> stopping_{false};
};

}  // namespace cidbus
