#include "shared/io/http_server.h"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <thread>
#include <unordered_set>

#include "shared/io/http_connection.h"

namespace cidbus {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr Duration longest_sweep = std::chrono::milliseconds(250);
constexpr std::size_t most_turned_away = 64;  // that are being told so; others are closed without a word
constexpr auto accept_pause = std::chrono::milliseconds(50);  // when the system has no descriptor left

std::string to_text(const tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(endpoint.port());
}

Result<tcp::endpoint> resolve(asio::io_context& context, const std::string& address) {
  const auto colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const std::string port = colon == std::string::npos ? "" : address.substr(colon + 1);
  if (host.empty() || port.empty() || port.size() > 5 ||
      port.find_first_not_of("0123456789") != std::string::npos || std::stoi(port) > 65535) {
    return fault(FaultKind::BadUsage, "'" + address + "' is no address to listen on: give HOST:PORT");
  }
  error_code error;
  const auto found = tcp::resolver(context).resolve(host, port, tcp::resolver::passive, error);
  if (error || found.empty()) {
    return fault(FaultKind::BadUsage, "'" + address + "' is no address to listen on: " + error.message());
  }
  return found.begin()->endpoint();
}

}  // namespace

HttpPiece http_text(std::string text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  return {as_bytes(*owner), owner};
}

HttpResponse http_line(unsigned status, std::string_view line) {
  HttpResponse response;
  response.status = status;
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.headers.add("Cache-Control", "no-store");
  response.first = http_text(std::string(line) + "\n");
  response.length = response.first.bytes.size();
  return response;
}

class HttpServer::Core {
 public:
  Core(HttpServerOptions options, HttpHandler& handler)
      : shared_{std::move(options), handler}, context_(1), acceptor_(context_), sweep_(context_) {}

  Status listen();
  void start();
  void stop();
  [[nodiscard]] const std::string& address() const { return address_; }

 private:
  asio::awaitable<void> accept_clients();
  asio::awaitable<void> sweep();
  asio::awaitable<void> serve(std::shared_ptr<HttpConnection> connection, bool welcome);
  bool make_room();

  HttpShared shared_;
  std::string address_;
  std::unordered_set<HttpConnection*> connections_;  // those served now
  HttpClock::time_point drain_end_;                  // when shared_.draining
  std::thread thread_;
  asio::io_context context_;  // its end destroys the coroutines, which use what stands above
  tcp::acceptor acceptor_;
  asio::steady_timer sweep_;
};

Status HttpServer::Core::listen() {
  const auto endpoint = resolve(context_, shared_.options.address);
  if (!endpoint) return tl::unexpected(endpoint.error());
  error_code error;
  acceptor_.open(endpoint->protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(*endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return fault(FaultKind::Failed, "cannot listen on " + shared_.options.address + ": " + error.message() +
                                        "; choose another address or stop who has it");
  }
  address_ = to_text(acceptor_.local_endpoint());
  return {};
}

void HttpServer::Core::start() {
  asio::co_spawn(context_, accept_clients(), asio::detached);
  asio::co_spawn(context_, sweep(), asio::detached);
  thread_ = std::thread([this] { context_.run(); });
}

void HttpServer::Core::stop() {
  if (!thread_.joinable()) return;
  asio::post(context_, [this] {
    error_code ignored;  // closed either way
    acceptor_.close(ignored);
    shared_.draining = true;
    drain_end_ = HttpClock::now() + shared_.options.drain_time;
    for (HttpConnection* connection : connections_) {
      if (connection->is_idle()) connection->close();
    }
    sweep_.cancel();
  });
  thread_.join();
}

asio::awaitable<void> HttpServer::Core::accept_clients() {
  shared_.thread = std::this_thread::get_id();
  while (acceptor_.is_open()) {
    auto [error, socket] = co_await acceptor_.async_accept(as_result);
    if (error) {
      if (!acceptor_.is_open()) break;
      asio::steady_timer pause(context_, accept_pause);
      co_await pause.async_wait(as_result);
      continue;
    }
    const bool welcome = make_room();
    if (!welcome && connections_.size() >= shared_.options.connections + most_turned_away) continue;
    auto connection = std::make_shared<HttpConnection>(shared_, std::move(socket));
    connections_.insert(connection.get());
    asio::co_spawn(context_, serve(std::move(connection), welcome), asio::detached);
  }
}

asio::awaitable<void> HttpServer::Core::serve(std::shared_ptr<HttpConnection> connection, bool welcome) {
  // Also when the coroutine is destroyed and not ended.
  const auto forget = [this](HttpConnection* ended) { connections_.erase(ended); };
  const std::unique_ptr<HttpConnection, decltype(forget)> entry(connection.get(), forget);
  if (welcome) {
    co_await connection->run();
  } else {
    co_await connection->turn_away();
  }
}

// Closes the longest idle connection when there are too many; false when none is idle.
bool HttpServer::Core::make_room() {
  if (connections_.size() < shared_.options.connections) return true;
  HttpConnection* longest = nullptr;
  for (HttpConnection* connection : connections_) {
    if (!connection->is_idle()) continue;
    if (longest == nullptr || connection->deadline() < longest->deadline()) longest = connection;
  }
  if (longest == nullptr) return false;
  longest->close();
  return true;
}

asio::awaitable<void> HttpServer::Core::sweep() {
  const auto& options = shared_.options;
  const Duration shortest = std::min({options.idle, options.head_time, options.answer_time});
  const Duration period =
      std::max<Duration>(std::min(longest_sweep, shortest / 4), std::chrono::milliseconds(1));
  for (;;) {
    sweep_.expires_after(shared_.draining ? std::min<Duration>(period, std::chrono::milliseconds(10))
                                          : period);
    co_await sweep_.async_wait(as_result);
    const auto now = HttpClock::now();
    // A close ends a coroutine later, in a turn of its own, so the set stays as it is meanwhile.
    for (HttpConnection* connection : connections_) connection->check_deadline(now);
    if (shared_.draining && (connections_.empty() || now >= drain_end_)) break;
  }
  context_.stop();
}

HttpMetrics::HttpMetrics(Registry& registry)
    : by_status{&registry.counter(Metric::HttpRequests, "1xx"),
                &registry.counter(Metric::HttpRequests, "2xx"),
                &registry.counter(Metric::HttpRequests, "3xx"),
                &registry.counter(Metric::HttpRequests, "4xx"),
                &registry.counter(Metric::HttpRequests, "5xx")},
      sent(registry.counter(Metric::HttpSent)),
      answer_time(registry.histogram(Metric::HttpSeconds)) {}

HttpServer::HttpServer(std::unique_ptr<Core> core) : core_(std::move(core)) {}
HttpServer::~HttpServer() { stop(); }

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpServerOptions options, HttpHandler& handler) {
  auto core = std::make_unique<Core>(std::move(options), handler);
  if (auto listening = core->listen(); !listening) return tl::unexpected(listening.error());
  core->start();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(core)));
}

void HttpServer::stop() { core_->stop(); }
const std::string& HttpServer::address() const { return core_->address(); }

}  // namespace cidbus
