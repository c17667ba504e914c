#include "shared/io/http_server.h"

#include <gmock/gmock.h>

#include <atomic>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "shared/io/http_test_client.h"

namespace cidbus {
namespace {

using http_test::Answer;
using http_test::Client;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

HttpResponse text_response(std::string text) {
  HttpResponse response;
  response.first = http_text(std::move(text));
  response.length = response.first.bytes.size();
  return response;
}

// Each target has a rule of the test's.
class Rules final : public HttpHandler {
 public:
  using Rule = std::function<void(const HttpRequest&, HttpReply)>;
  void on(const std::string& target, Rule rule) { rules_[target] = std::move(rule); }
  void handle(const HttpRequest& request, HttpReply reply) override {
    const auto rule = rules_.find(std::string(request.target));
    if (rule != rules_.end()) return rule->second(request, std::move(reply));
    reply.answer(text_response(std::string(request.method) + " " + std::string(request.target)));
  }

 private:
  std::map<std::string, Rule> rules_;
};

// Gives what it is told, piece by piece, and counts how often it is asked.
class Pieces final : public HttpBody {
 public:
  Pieces(std::vector<std::string> pieces, bool then_fails)
      : pieces_(std::move(pieces)), then_fails_(then_fails) {}
  void next(HttpPieceReply reply) override {
    if (at_ < pieces_.size()) return reply.answer(http_text(pieces_[at_++]));
    if (then_fails_) return reply.answer(fault(FaultKind::TimedOut, "the block did not come"));
    reply.answer(HttpPiece{});
  }

 private:
  std::vector<std::string> pieces_;
  std::size_t at_ = 0;
  bool then_fails_;
};

class Endless final : public HttpBody {
 public:
  explicit Endless(std::atomic<std::size_t>& asked) : asked_(asked) {}
  void next(HttpPieceReply reply) override {
    ++asked_;
    reply.answer(HttpPiece{*block_, block_});
  }

 private:
  std::atomic<std::size_t>& asked_;
  std::shared_ptr<const Bytes> block_ = std::make_shared<const Bytes>(1 << 20, 'x');
};

HttpResponse piecewise(ByteCount length, std::string first, std::unique_ptr<HttpBody> rest) {
  HttpResponse response;
  response.first = http_text(std::move(first));
  response.length = length;
  response.rest = std::move(rest);
  return response;
}

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServer& start(HttpServerOptions options = {}) {
    options.address = "127.0.0.1:0";
    auto server = HttpServer::start(std::move(options), rules_);
    if (!server) ADD_FAILURE() << server.error().message;
    server_ = *std::move(server);
    return *server_;
  }
  static HttpServerOptions impatient(Duration HttpServerOptions::*what) {
    HttpServerOptions options;
    options.*what = 40ms;
    return options;
  }

  Rules rules_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, answers_request_after_request_on_one_connection) {
  Client client(start().address());
  for (int round = 0; round < 3; ++round) {
    const Answer answer = client.get("/a");
    EXPECT_EQ(answer.status, 200U);
    EXPECT_EQ(answer.body, "GET /a");
    EXPECT_THAT(answer.header("Date"), ::testing::EndsWith(" GMT"));
    EXPECT_EQ(answer.header("Connection"), "");
  }
}

TEST_F(HttpServerTest, answers_pipelined_requests_in_their_order_however_late) {
  std::vector<std::thread> threads;
  rules_.on("/late", [&](const HttpRequest&, HttpReply reply) {
    threads.emplace_back([late = std::move(reply)]() mutable { late.answer(text_response("late")); });
  });
  Client client(start().address());
  std::string requests;
  for (int round = 0; round < 200; ++round) {
    requests += "GET /late HTTP/1.1\r\nHost: x\r\n\r\nGET /soon HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  client.send(requests);
  for (int round = 0; round < 200; ++round) {
    ASSERT_EQ(client.read().body, "late");
    ASSERT_EQ(client.read().body, "GET /soon");
  }
  server_->stop();
  for (std::thread& thread : threads) thread.join();
}

TEST_F(HttpServerTest, takes_a_request_that_comes_byte_by_byte) {
  Client client(start().address());
  for (const char c : std::string("GET /slow HTTP/1.1\r\nHost: x\r\nA: b\r\n\r\n")) client.send({&c, 1});
  EXPECT_EQ(client.read().body, "GET /slow");
}

TEST_F(HttpServerTest, leaves_the_body_out_for_head_and_nothing_else) {
  rules_.on("/pieces", [](const HttpRequest&, HttpReply reply) {
    reply.answer(piecewise(7, "abc", std::make_unique<Pieces>(std::vector<std::string>{"defg"}, false)));
  });
  Client client(start().address());
  const Answer get = client.get("/pieces");
  client.request("/pieces", {}, "HEAD");
  const Answer head = client.read(true);
  EXPECT_EQ(get.body, "abcdefg");
  EXPECT_EQ(get.header("Content-Length"), "7");
  EXPECT_EQ(head.head, get.head);
  EXPECT_EQ(client.get("/next").body, "GET /next");  // no stray bytes in between
}

TEST_F(HttpServerTest, sends_no_body_with_204_and_304) {
  for (const unsigned status : {204U, 304U}) {
    rules_.on("/" + std::to_string(status), [status](const HttpRequest&, HttpReply reply) {
      HttpResponse response = text_response("never sent");
      response.status = status;
      reply.answer(std::move(response));
    });
  }
  Client client(start().address());
  EXPECT_EQ(client.get("/204").header("Content-Length"), "");
  EXPECT_EQ(client.get("/304").header("Content-Length"), "");
  EXPECT_EQ(client.get("/next").body, "GET /next");
}

TEST_F(HttpServerTest, closes_when_asked_to_and_after_http_1_0) {
  start();
  Client polite(server_->address());
  const Answer closing = polite.get("/a", "Connection: close\r\n");
  EXPECT_EQ(closing.header("Connection"), "close");
  EXPECT_TRUE(polite.ended());
  Client old(server_->address());
  old.send("GET /a HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.read().body, "GET /a");
  EXPECT_TRUE(old.ended());
  Client old_but_staying(server_->address());
  old_but_staying.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(old_but_staying.read().header("Connection"), "keep-alive");
  EXPECT_EQ(old_but_staying.get("/b").body, "GET /b");
}

TEST_F(HttpServerTest, refuses_what_is_not_http_and_ends_the_connection) {
  start();
  const std::vector<std::pair<std::string, unsigned>> refused = {
      {"nonsense\r\n\r\n", 400},
      {std::string("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 11), 400},
      {"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 505},
      {"GET /a HTTP/1.1\r\nHost : x\r\n\r\n", 400},
      {"GET /a HTTP/1.1\r\n\r\n", 400},
      {"GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400},
      {"GET /a HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      {"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 413},
      {"GET /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413},
      {"GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nabc", 400},
  };
  for (const auto& [text, status] : refused) {
    Client client(server_->address());
    client.send(text);
    const Answer answer = client.read();
    EXPECT_EQ(answer.status, status) << text;
    EXPECT_EQ(answer.header("Connection"), "close");
    EXPECT_TRUE(client.ended());
  }
}

TEST_F(HttpServerTest, answers_431_to_a_head_that_is_too_long_even_while_more_is_sent) {
  Client client(start().address());
  client.send("GET /a HTTP/1.1\r\nHost: x\r\nLong: " + std::string(100'000, 'x'));
  EXPECT_EQ(client.read().status, 431U);
  Client long_target(server_->address());
  long_target.send("GET /" + std::string(100'000, 'x'));
  EXPECT_EQ(long_target.read().status, 431U);
  Client just_right(server_->address());
  EXPECT_EQ(
      just_right.get("/a", "Long: " + std::string(limits::http_header_bytes - 100, 'x') + "\r\n").status,
      200U);
}

TEST_F(HttpServerTest, breaks_the_connection_when_a_body_cannot_be_completed) {
  const auto broken = [](std::vector<std::string> pieces, bool fails) {
    return [pieces = std::move(pieces), fails](const HttpRequest&, HttpReply reply) {
      reply.answer(piecewise(9, "abc", std::make_unique<Pieces>(pieces, fails)));
    };
  };
  rules_.on("/fails", broken({"def"}, true));
  rules_.on("/short", broken({"def"}, false));
  rules_.on("/long", broken({"def", "ghijk"}, false));
  start();
  for (const char* target : {"/fails", "/short", "/long"}) {
    Client client(server_->address());
    const Answer answer = client.get(target);
    EXPECT_EQ(answer.status, 200U) << target;
    EXPECT_TRUE(answer.broken) << target;
    EXPECT_LE(answer.body.size(), 6U) << target;
  }
}

TEST_F(HttpServerTest, sends_an_endless_body_until_it_ends_and_closes) {
  const auto endless = [](bool then_fails) {
    HttpResponse response =
        piecewise(0, "one,", std::make_unique<Pieces>(std::vector<std::string>{"two,", "three"}, then_fails));
    response.endless = true;
    return response;
  };
  rules_.on("/ends", [&](const HttpRequest&, HttpReply reply) { reply.answer(endless(false)); });
  rules_.on("/breaks", [&](const HttpRequest&, HttpReply reply) { reply.answer(endless(true)); });
  start();
  Client client(server_->address());
  client.request("/ends");
  const Answer answer = client.read();
  EXPECT_EQ(answer.header("Content-Length"), "");
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_EQ(client.read_to_end(), "one,two,three");
  EXPECT_FALSE(client.was_reset());
  Client other(server_->address());
  other.request("/breaks");
  other.read();
  other.read_to_end();
  EXPECT_TRUE(other.was_reset());
}

TEST_F(HttpServerTest, answers_500_when_the_handler_lets_go_of_its_promise) {
  rules_.on("/forgotten", [](const HttpRequest&, HttpReply) {});
  Client client(start().address());
  EXPECT_EQ(client.get("/forgotten").status, 500U);
  EXPECT_EQ(client.get("/next").body, "GET /next");
}

TEST_F(HttpServerTest, answers_504_in_time_and_drops_the_answer_that_comes_too_late) {
  std::promise<HttpReply> kept;
  rules_.on("/never", [&](const HttpRequest&, HttpReply reply) { kept.set_value(std::move(reply)); });
  Client client(start(impatient(&HttpServerOptions::answer_time)).address());
  EXPECT_EQ(client.get("/never").status, 504U);
  kept.get_future().get().answer(text_response("too late"));
  EXPECT_EQ(client.get("/next").body, "GET /next");
}

TEST_F(HttpServerTest, breaks_the_connection_when_a_piece_takes_too_long) {
  struct Stuck final : HttpBody {
    void next(HttpPieceReply reply) override { kept.emplace(std::move(reply)); }
    std::optional<HttpPieceReply> kept;
  };
  rules_.on("/stuck", [](const HttpRequest&, HttpReply reply) {
    reply.answer(piecewise(10, "abc", std::make_unique<Stuck>()));
  });
  Client client(start(impatient(&HttpServerOptions::answer_time)).address());
  EXPECT_TRUE(client.get("/stuck").broken);
}

TEST_F(HttpServerTest, cuts_who_sends_half_a_head_or_nothing) {
  start(impatient(&HttpServerOptions::head_time));
  Client half(server_->address());
  half.send("GET /a HT");
  EXPECT_TRUE(half.ended());
  start(impatient(&HttpServerOptions::idle));
  Client silent(server_->address());
  EXPECT_TRUE(silent.ended());
}

// Says when its connection has let go of it.
struct Watched final : HttpBody {
  Watched(std::atomic<std::size_t>& count, std::promise<void>& end) : inner(count), gone(end) {}
  ~Watched() override { gone.set_value(); }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  void next(HttpPieceReply reply) override { inner.next(std::move(reply)); }
  Endless inner;
  std::promise<void>& gone;
};

TEST_F(HttpServerTest, holds_a_bounded_part_of_a_body_for_who_does_not_read_and_cuts_them) {
  std::atomic<std::size_t> asked{0};
  std::promise<void> over;
  rules_.on("/big", [&](const HttpRequest&, HttpReply reply) {
    reply.answer(piecewise(1ULL << 40, "x", std::make_unique<Watched>(asked, over)));
  });
  Client client(start(impatient(&HttpServerOptions::idle)).address(), 16 << 10);
  client.request("/big");
  ASSERT_EQ(over.get_future().wait_for(10s), std::future_status::ready);
  EXPECT_LE(asked, 16U);  // what the system's socket buffers hold, and one more
}

TEST_F(HttpServerTest, has_no_second_piece_made_of_an_endless_body_while_the_first_is_not_read) {
  std::atomic<std::size_t> asked{0};
  std::promise<void> over;
  rules_.on("/endless", [&](const HttpRequest&, HttpReply reply) {
    HttpResponse response = piecewise(0, "x", std::make_unique<Watched>(asked, over));
    response.endless = true;
    reply.answer(std::move(response));
  });
  Client client(start(impatient(&HttpServerOptions::idle)).address(), 16 << 10);
  client.request("/endless");
  ASSERT_EQ(over.get_future().wait_for(10s), std::future_status::ready);
  EXPECT_EQ(asked, 1U);
}

TEST_F(HttpServerTest, closes_the_longest_idle_connection_to_make_room) {
  HttpServerOptions options;
  options.connections = 2;
  start(options);
  Client first(server_->address());
  EXPECT_EQ(first.get("/a").status, 200U);
  Client second(server_->address());
  EXPECT_EQ(second.get("/a").status, 200U);
  Client third(server_->address());
  EXPECT_EQ(third.get("/a").status, 200U);
  EXPECT_TRUE(first.ended());
  EXPECT_EQ(second.get("/a").status, 200U);
}

TEST_F(HttpServerTest, says_503_when_every_connection_is_at_work) {
  std::promise<HttpReply> kept;
  rules_.on("/long", [&](const HttpRequest&, HttpReply reply) { kept.set_value(std::move(reply)); });
  HttpServerOptions options;
  options.connections = 1;
  start(options);
  Client busy(server_->address());
  busy.request("/long");
  HttpReply reply = kept.get_future().get();
  Client one_too_many(server_->address());
  EXPECT_EQ(one_too_many.get("/a").status, 503U);
  EXPECT_TRUE(one_too_many.ended());
  reply.answer(text_response("done"));
  EXPECT_EQ(busy.read().body, "done");
}

TEST_F(HttpServerTest, ends_what_is_under_way_when_it_is_stopped) {
  std::promise<HttpReply> kept;
  rules_.on("/long", [&](const HttpRequest&, HttpReply reply) { kept.set_value(std::move(reply)); });
  start();
  Client idle(server_->address());
  EXPECT_EQ(idle.get("/a").status, 200U);
  Client busy(server_->address());
  busy.request("/long");
  HttpReply reply = kept.get_future().get();
  std::thread stopping([this] { server_->stop(); });
  EXPECT_TRUE(idle.ended());
  reply.answer(text_response("done"));
  const Answer answer = busy.read();
  EXPECT_EQ(answer.body, "done");
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_TRUE(busy.ended());
  stopping.join();
}

TEST_F(HttpServerTest, stops_in_time_when_an_answer_never_comes) {
  std::promise<HttpReply> kept;
  rules_.on("/never", [&](const HttpRequest&, HttpReply reply) { kept.set_value(std::move(reply)); });
  HttpServerOptions options;
  options.drain_time = 10ms;
  start(options);
  Client client(server_->address());
  client.request("/never");
  HttpReply reply = kept.get_future().get();
  server_->stop();
  reply.answer(text_response("dropped"));
  server_.reset();
  EXPECT_TRUE(client.ended());
}

TEST_F(HttpServerTest, serves_clients_that_vanish_and_those_that_stay) {
  start();
  for (int round = 0; round < 50; ++round) {
    Client vanishing(server_->address());
    vanishing.send(round % 2 == 0 ? "GET /a HT" : "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  Client client(server_->address());
  EXPECT_EQ(client.get("/a").status, 200U);
}

TEST_F(HttpServerTest, says_why_it_cannot_listen) {
  start();
  for (const char* address : {"", "localhost", "nonsense:x", ":80", "127.0.0.1:", "127.0.0.1:99999"}) {
    const auto refused = HttpServer::start({address}, rules_);
    ASSERT_FALSE(refused) << address;
    EXPECT_EQ(refused.error().kind, FaultKind::BadUsage) << address << refused.error().message;
  }
  const auto taken = HttpServer::start({server_->address()}, rules_);
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().message, HasSubstr("cannot listen on " + server_->address()));
}

TEST(HttpHeadersTest, no_value_can_end_its_line) {
  HttpHeaders headers;
  headers.add("A", "b\r\nEvil: yes\0\x7f");
  headers.add("C", "ż");
  EXPECT_EQ(headers.text(), "A: b__Evil: yes\r\nC: ż\r\n");
  EXPECT_EQ(headers.find("c"), "ż");
  EXPECT_EQ(headers.find("Evil"), "");
}

}  // namespace
}  // namespace cidbus
