// What every node shows of itself over HTTP: /metrics, /livez, /readyz; and pages that a role adds.
//
// The HTTP thread hands a question to the role's own thread, which answers at the end of a turn. So whoever
// gets an answer knows that the role's thread turns: one that hangs answers nothing, and the server says 504
// for it.
//
// Thread rule: made, filled and closed by the owner of the reactor; take() by the HTTP server's thread.
// Limits: the HTTP server's.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/readiness.h"
#include "shared/io/http_server.h"
#include "shared/io/mailbox.h"
#include "shared/io/reactor.h"
#include "shared/metrics/registry.h"

namespace cidbus {

class NodePages {
 public:
  // On the role's thread; `query` is what follows the question mark.
  using Page = std::function<HttpResponse(Now now, std::string_view query)>;

  // With /metrics alone. REQUIRES: reactor and registry outlive it.
  NodePages(Reactor& reactor, Registry& registry);
  ~NodePages();
  NodePages(const NodePages&) = delete;
  NodePages& operator=(const NodePages&) = delete;

  // /livez and /readyz, by these checks. REQUIRES, as add(): nothing was served yet.
  void add_health(std::function<std::vector<ReadinessCheck>(Now)> checks);
  void add(std::string path, Page page);
  // A page whose answer may be given later, by any thread, but before the HTTP server is stopped.
  using LaterPage = std::function<void(Now now, std::string_view query, HttpReply reply)>;
  void add_later(std::string path, LaterPage page);

  // True when it is one of these pages: the reply is taken.
  bool take(const HttpRequest& request, HttpReply& reply);
  // Answers what waits, and whatever comes from now on, with 503; before the HTTP server is stopped.
  void close();

 private:
  struct Question {
    const LaterPage* page;
    std::string query;
    std::shared_ptr<HttpReply> reply;  // shared, since a mailbox's values are copied into vectors that grow
  };
  void answer(Now now);

  Reactor& reactor_;
  std::map<std::string, LaterPage, std::less<>> pages_;
  Mailbox<Question> asked_;
  std::atomic<bool> closed_{false};
};

// A text of this type, never kept by caches.
HttpResponse http_page(unsigned status, std::string_view type, std::string text);

// These pages, and nothing else, on an address of their own.
class NodeHttp final : private HttpHandler {
 public:
  // `address`: HOST:PORT. The faults of HttpServer::start. REQUIRES: the pages outlive it.
  static Result<std::unique_ptr<NodeHttp>> start(const std::string& address, NodePages& pages,
                                                 std::size_t connections = 64);  // those who scrape are few
  ~NodeHttp() override;
  [[nodiscard]] const std::string& address() const { return server_->address(); }

 private:
  explicit NodeHttp(NodePages& pages) : pages_(pages) {}
  void handle(const HttpRequest& request, HttpReply reply) override;

  NodePages& pages_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace cidbus
