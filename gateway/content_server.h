// Serves content over HTTP out of a cache in memory, and out of a slower source for what is not there.
//
// What the cache holds is answered on the server's own thread; for the rest the question goes to a thread of
// the pool, and comes back as an answer. A body that is longer than a block goes on in the same way, piece by
// piece, as its client reads.
//
// Thread rule: start and stop by the owner's thread; `checks` and `other` are called by the server's thread
// and must not wait. Limits: HttpServerOptions, the cache's capacity, limits::gateway_fetchers threads.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/routes/routes.h"
#include "shared/base/limits/http.h"
#include "shared/base/result.h"
#include "shared/content/block.h"
#include "shared/io/http_server.h"
#include "shared/store/memory_store.h"

namespace cidbus {

// Written by the server's thread.
struct ContentMetrics {
  explicit ContentMetrics(Registry& registry);
  HttpMetrics http;
  Counter& hits;
  Counter& misses;
};

struct ContentServerOptions {
  HttpServerOptions http;
  ByteCount cache_bytes = limits::http_cache_bytes;
  std::size_t fetchers = limits::gateway_fetchers;
  // Makes a fetcher's source, in its thread. What it fetches it also keeps in the cache.
  std::function<std::unique_ptr<BlockSource>(MemoryStore& cache)> make_source;
  // What /readyz says.
  std::function<std::vector<ReadinessCheck>()> checks;
  // Asked first, if there is one: true when it took the reply, to answer it now or later.
  std::function<bool(const HttpRequest& request, HttpReply& reply)> other = {};
  ContentMetrics* metrics = nullptr;  // outlives the server
};

class ContentServer {
 public:
  // The faults of HttpServer::start.
  static Result<std::unique_ptr<ContentServer>> start(ContentServerOptions options);
  ~ContentServer();
  ContentServer(const ContentServer&) = delete;
  ContentServer& operator=(const ContentServer&) = delete;

  // Lets responses under way end for a moment, then joins all threads.
  void stop();
  // HOST:PORT it listens on.
  [[nodiscard]] const std::string& address() const;
  // What the cache holds. Any thread.
  [[nodiscard]] StoreCounts cache_counts() const;
  // Likewise. What the cache holds beyond it goes at once.
  void set_cache_bytes(ByteCount bytes);

 private:
  class Core;
  explicit ContentServer(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace cidbus
