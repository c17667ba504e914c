// A small HTTP/1.1 server: it parses, bounds, times and sends; whoever owns it answers.
//
// Made for the gateway, and for the /metrics and /readyz of every role. One thread serves all connections,
// and the owner answers at once or later, from any thread, so that nothing that waits holds up anything else.
//
// Invariants
//  1. Responses of a connection leave in the order of its requests; requests sent ahead (pipelined) wait.
//  2. A response leaves with the length it announced or not whole: when its body fails, or is longer or
//     shorter, the connection is broken, so that nobody takes a part for the whole. One that is endless
//     announces none; the connection is closed behind its last piece.
//  3. A connection holds one piece of a body at a time, and asks for the next when that one is on its way.
//  4. A request that gets no answer in time is answered 504; a client that neither reads nor writes is cut.
//  5. What is not HTTP, too long, or has a body is answered 400, 431, 413, 505 and the connection ends.
//
// Thread rule: start and stop by the owner's thread; HttpHandler and HttpBody are called by the server's
// thread and must not block there. Limits: HttpServerOptions.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "shared/base/bytes.h"
#include "shared/base/http_message.h"
#include "shared/base/limits/http.h"
#include "shared/base/result.h"
#include "shared/base/time.h"
#include "shared/metrics/registry.h"

namespace cidbus {

// Bytes that stay as long as their owner.
struct HttpPiece {
  ByteView bytes;
  std::shared_ptr<const void> owner;  // shared because a cache and several connections may hold one block
};
HttpPiece http_text(std::string text);

// Where answers go. Inside this room only.
class HttpMailbox {
 public:
  virtual ~HttpMailbox() = default;
  virtual void deliver(std::uint64_t turn, struct HttpResponse response) = 0;
  virtual void deliver(std::uint64_t turn, Result<HttpPiece> piece) = 0;
  virtual void abandon(std::uint64_t turn) = 0;
};

// An answer owed. It may be given by any thread, once; one given too late is dropped. Letting it go without
// an answer answers 500 (or breaks the body). REQUIRES: it does not outlive the server.
template <typename Answer>
class HttpPromise {
 public:
  HttpPromise(std::shared_ptr<HttpMailbox> to, std::uint64_t turn) : to_(std::move(to)), turn_(turn) {}
  HttpPromise(HttpPromise&&) noexcept = default;
  HttpPromise& operator=(HttpPromise&&) = delete;
  ~HttpPromise() {
    if (to_) to_->abandon(turn_);
  }
  void answer(Answer answer) { std::exchange(to_, nullptr)->deliver(turn_, std::move(answer)); }

 private:
  std::shared_ptr<HttpMailbox> to_;  // shared: the connection may end before the answer is there
  std::uint64_t turn_;
};
using HttpReply = HttpPromise<HttpResponse>;
using HttpPieceReply = HttpPromise<Result<HttpPiece>>;

// What follows the first piece of a response. Destroyed on the server's thread, at any moment between calls.
class HttpBody {
 public:
  virtual ~HttpBody() = default;
  // The next piece; empty only to end an endless response. A fault breaks the connection. Called again only
  // after an answer, and only while bytes are missing.
  virtual void next(HttpPieceReply reply) = 0;
};

struct HttpResponse {
  unsigned status = 200;
  HttpHeaders headers;             // without Content-Length, Date, Connection
  ByteCount length = 0;            // of the body; a HEAD is told it too
  HttpPiece first;                 // the body, or its beginning
  std::unique_ptr<HttpBody> rest;  // needed when `first` is shorter than `length`
  bool endless = false;            // `length` counts for nothing: pieces follow while there are any
};
// One line of text.
HttpResponse http_line(unsigned status, std::string_view line);

class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  // The request lives until this returns. HEAD is answered like GET: the server leaves the body out.
  virtual void handle(const HttpRequest& request, HttpReply reply) = 0;
};

// Written by the server's thread.
struct HttpMetrics {
  explicit HttpMetrics(Registry& registry);
  std::array<Counter*, 5> by_status;  // 1xx to 5xx
  Counter& sent;                      // bytes of bodies
  Histogram& answer_time;
};

struct HttpServerOptions {
  std::string address;                                 // HOST:PORT; port 0 for a free one
  std::size_t connections = limits::http_connections;  // beyond, the longest idle one goes; then 503
  std::size_t header_bytes = limits::http_header_bytes;
  Duration idle = limits::http_idle;                // without a byte in or out
  Duration head_time = limits::http_head_time;      // from a request's first byte to the end of its head
  Duration answer_time = limits::http_answer_time;  // for a response to begin, and for each piece
  Duration drain_time = limits::http_drain_time;    // for responses under way when it is stopped
  HttpMetrics* metrics = nullptr;                   // outlives the server
};

class HttpServer {
 public:
  // Listens and serves. BadUsage for an address that is none, Failed when it cannot be listened on.
  // REQUIRES: the handler outlives the server.
  static Result<std::unique_ptr<HttpServer>> start(HttpServerOptions options, HttpHandler& handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Takes no more requests, lets responses under way end for drain_time, joins the thread. Promises may be
  // outstanding; their answers are dropped.
  void stop();
  // HOST:PORT it listens on.
  [[nodiscard]] const std::string& address() const;

 private:
  class Core;
  explicit HttpServer(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace cidbus
