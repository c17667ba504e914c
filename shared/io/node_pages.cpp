#include "shared/io/node_pages.h"

#include "shared/metrics/prometheus.h"

namespace cidbus {
namespace {

constexpr Duration answered_within = std::chrono::seconds(5);  // or the role's thread hangs

HttpResponse line(unsigned status, const std::string& text) {
  return http_page(status, "text/plain; charset=utf-8", text + "\n");
}

}  // namespace

HttpResponse http_page(unsigned status, std::string_view type, std::string text) {
  HttpResponse response;
  response.status = status;
  response.headers.add("Content-Type", type);
  response.headers.add("Cache-Control", "no-store");
  response.headers.add("X-Content-Type-Options", "nosniff");
  response.first = http_text(std::move(text));
  response.length = response.first.bytes.size();
  return response;
}

NodePages::NodePages(Reactor& reactor, Registry& registry) : reactor_(reactor) {
  add("/metrics", [&registry](Now now, std::string_view) {
    return http_page(200, prometheus_content_type, to_prometheus(registry.read(now)));
  });
  reactor_.watch(asked_.fd(), [this](Now now) { answer(now); });
}

NodePages::~NodePages() { reactor_.unwatch(asked_.fd()); }

void NodePages::add_health(std::function<std::vector<ReadinessCheck>(Now)> checks) {
  add("/livez", [](Now, std::string_view) { return line(200, "ok"); });
  add("/readyz", [checks = std::move(checks)](Now now, std::string_view query) {
    const auto all = checks(now);
    return line(is_ready(all) ? 200 : 503, readiness_report(all, query == "verbose"));
  });
}

void NodePages::add(std::string path, Page page) {
  add_later(std::move(path), [page = std::move(page)](Now now, std::string_view query, HttpReply reply) {
    reply.answer(page(now, query));
  });
}

void NodePages::add_later(std::string path, LaterPage page) {
  pages_.emplace(std::move(path), std::move(page));
}

bool NodePages::take(const HttpRequest& request, HttpReply& reply) {
  const auto mark = request.target.find('?');
  const auto page = pages_.find(request.target.substr(0, mark));
  if (page == pages_.end()) return false;
  if (request.method != "GET" && request.method != "HEAD") {
    HttpResponse response = line(405, "only GET and HEAD are answered here");
    response.headers.add("Allow", "GET, HEAD");
    reply.answer(std::move(response));
  } else if (closed_) {
    reply.answer(line(503, "this node is stopping"));
  } else {
    const std::string_view query =
        mark == std::string_view::npos ? std::string_view() : request.target.substr(mark + 1);
    asked_.push({&page->second, std::string(query), std::make_shared<HttpReply>(std::move(reply))});
    if (closed_) close();  // meanwhile; the mailbox's lock keeps both closings apart
  }
  return true;
}

void NodePages::answer(Now now) {
  for (const Question& question : asked_.take_all())
    (*question.page)(now, question.query, std::move(*question.reply));
}

void NodePages::close() {
  closed_ = true;
  for (const Question& question : asked_.take_all())
    question.reply->answer(line(503, "this node is stopping"));
}

Result<std::unique_ptr<NodeHttp>> NodeHttp::start(const std::string& address, NodePages& pages,
                                                  std::size_t connections) {
  std::unique_ptr<NodeHttp> http(new NodeHttp(pages));
  HttpServerOptions options;
  options.address = address;
  options.connections = connections;
  options.answer_time = answered_within;
  auto server = HttpServer::start(std::move(options), *http);
  if (!server) return tl::unexpected(server.error());
  http->server_ = *std::move(server);
  return http;
}

// Replies must not outlive the server, so what came while it stopped goes before it does.
NodeHttp::~NodeHttp() {
  pages_.close();
  if (server_) server_->stop();
  pages_.close();
}

void NodeHttp::handle(const HttpRequest& request, HttpReply reply) {
  if (pages_.take(request, reply)) return;
  std::string text = "nothing is here; try /metrics, /livez or /readyz?verbose\n";
  reply.answer(http_page(404, "text/plain; charset=utf-8", std::move(text)));
}

}  // namespace cidbus
