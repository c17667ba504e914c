// One client's connection to an HttpServer: a coroutine that reads, has answered and writes, in turns.
//
// Inside this room, and heavy: Boost.Asio and Beast. Deadlines are fields that the server's sweep looks at a
// few times a second, because a timer for every read and write would cost more than they do.
//
// Invariants
//  1. `turn` counts what the connection waited for; an answer to an earlier turn is too late and is dropped.
// Thread rule: the server's thread, but for deliver and abandon (any thread).
// Limits: HttpServerOptions; the input buffer holds two heads at most.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "shared/io/http_server.h"

namespace cidbus {

using HttpClock = std::chrono::steady_clock;

// What all connections of a server share.
struct HttpShared {
  HttpServerOptions options;
  HttpHandler& handler;
  std::thread::id thread{};
  bool draining = false;  // no further request is read
  std::string date{};     // of the second `date_second`, as a header wants it
  std::time_t date_second = 0;
};

class HttpConnection final : public HttpMailbox, public std::enable_shared_from_this<HttpConnection> {
 public:
  HttpConnection(HttpShared& shared, boost::asio::ip::tcp::socket socket);

  // Serves until the connection ends; it is closed then.
  boost::asio::awaitable<void> run();
  // Says 503 and ends.
  boost::asio::awaitable<void> turn_away();
  // Ends what takes too long.
  void check_deadline(HttpClock::time_point now);
  // Between two requests, with nothing of the next one there yet.
  [[nodiscard]] bool is_idle() const { return phase_ == Phase::Idle; }
  [[nodiscard]] HttpClock::time_point deadline() const { return deadline_; }
  void close();

  void deliver(std::uint64_t turn, HttpResponse response) override;
  void deliver(std::uint64_t turn, Result<HttpPiece> piece) override;
  void abandon(std::uint64_t turn) override;

 private:
  enum class Phase { Idle, ReadingHead, Waiting, Writing, Lingering };
  struct Head;  // a parsed request
  enum class ReadEnd { Request, Closed, Refused };

  boost::asio::awaitable<ReadEnd> read_head(Head& head);
  boost::asio::awaitable<bool> respond(const Head& head);
  void keep_short();
  boost::asio::awaitable<bool> send_body(HttpResponse& response);
  boost::asio::awaitable<bool> write(std::string_view head, ByteView body);
  boost::asio::awaitable<void> refuse(const Head& head);
  boost::asio::awaitable<void> linger();
  boost::asio::awaitable<void> wait_for_answer();

  void enter(Phase phase, Duration time);
  void measure(const HttpResponse& response, HttpClock::time_point asked) const;
  template <typename Answer>
  void take(std::uint64_t turn, Answer answer);
  void accept(HttpResponse response) { response_.emplace(std::move(response)); }
  void accept(Result<HttpPiece> piece) { piece_.emplace(std::move(piece)); }
  std::string head_text(const HttpResponse& response, const Head& head, bool stays_open);
  const std::string& date();
  void reset();

  HttpShared& shared_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer answered_;  // never expires; its cancellation wakes the coroutine
  boost::beast::flat_buffer input_;
  Phase phase_ = Phase::Idle;
  HttpClock::time_point deadline_;
  std::uint64_t turn_ = 0;
  bool expects_piece_ = false;              // of this turn: a piece, otherwise a response
  std::optional<HttpResponse> response_;    // of this turn
  std::optional<Result<HttpPiece>> piece_;  // of this turn
};

}  // namespace cidbus
