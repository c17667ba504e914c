#include "shared/io/http_connection.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <ctime>
#include <limits>

#include "shared/base/ensure.h"
#include "shared/base/limits/http_stream.h"

namespace cidbus {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::beast::error_code;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// After a refusal the client may still be sending; what it sends is read for so long and so far, since a
// close with bytes unread would throw away the answer on its way to the client.
constexpr auto linger_time = std::chrono::seconds(2);
constexpr std::size_t linger_bytes = 256 << 10;
constexpr std::size_t read_bytes = 8 << 10;  // asked of the socket at once

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

struct HttpConnection::Head {
  std::optional<http::request_parser<http::empty_body>> parser;
  HttpRequest request;  // views into the parser
  unsigned refused_as = 0;
  std::string_view refusal;

  [[nodiscard]] bool is_head() const { return request.method == "HEAD"; }
  [[nodiscard]] bool wants_to_stay() const { return parser->get().keep_alive(); }
  [[nodiscard]] bool is_old() const { return parser->get().version() < 11; }
  bool refuse(unsigned status, std::string_view line) {
    refused_as = status;
    refusal = line;
    return false;
  }
  bool judge_error(const error_code& error);
  bool judge();
};

// Always false, for the caller's convenience.
bool HttpConnection::Head::judge_error(const error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return refuse(431, "the request's line and headers are too long");
  }
  if (error == http::error::bad_version) return refuse(505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
  return refuse(400, "that is not an HTTP request");
}

// Whether the head may be handled; takes its fields out of the parser.
bool HttpConnection::Head::judge() {
  const auto& message = parser->get();
  request.method = view(message.method_string());
  request.target = view(message.target());
  std::size_t hosts = 0;
  for (const auto& field : message) {
    request.headers.emplace_back(view(field.name_string()), view(field.value()));
    hosts += field.name() == http::field::host ? 1 : 0;
  }
  if (hosts > 1 || (hosts == 0 && !is_old())) return refuse(400, "a request names its Host, once");
  if (!parser->is_done()) return refuse(413, "a request with a body is not taken here");
  return true;
}

HttpConnection::HttpConnection(HttpShared& shared, asio::ip::tcp::socket socket)
    : shared_(shared),
      socket_(std::move(socket)),
      answered_(socket_.get_executor(), asio::steady_timer::time_point::max()),
      input_(2 * shared.options.header_bytes) {
  error_code ignored;  // a peer that is gone already shows at the first read
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  enter(Phase::Idle, shared.options.idle);
}

void HttpConnection::enter(Phase phase, Duration time) {
  phase_ = phase;
  deadline_ = HttpClock::now() + time;
}

asio::awaitable<void> HttpConnection::run() {
  const auto self = shared_from_this();  // until the coroutine ends, whoever else lets go
  while (!shared_.draining) {
    Head head;
    const ReadEnd end = co_await read_head(head);
    if (end == ReadEnd::Closed) break;
    if (end == ReadEnd::Refused) {
      co_await refuse(head);
      break;
    }
    if (!co_await respond(head)) break;
  }
  close();
}

asio::awaitable<HttpConnection::ReadEnd> HttpConnection::read_head(Head& head) {
  head.parser.emplace();
  head.parser->header_limit(static_cast<std::uint32_t>(shared_.options.header_bytes));
  enter(Phase::Idle, shared_.options.idle);
  if (input_.size() > 0) enter(Phase::ReadingHead, shared_.options.head_time);
  for (;;) {
    error_code error = http::error::need_more;
    if (input_.size() > 0) {
      input_.consume(head.parser->put(input_.data(), error));
      if (head.parser->is_header_done()) break;
      if (error && error != http::error::need_more) {
        head.judge_error(error);
        co_return ReadEnd::Refused;
      }
    }
    const std::size_t room = std::min(read_bytes, input_.max_size() - input_.size());
    if (room == 0) {
      head.judge_error(http::error::header_limit);
      co_return ReadEnd::Refused;
    }
    const auto [failed, count] = co_await socket_.async_read_some(input_.prepare(room), as_result);
    if (failed) co_return ReadEnd::Closed;
    input_.commit(count);
    if (phase_ == Phase::Idle) enter(Phase::ReadingHead, shared_.options.head_time);
  }
  co_return head.judge() ? ReadEnd::Request : ReadEnd::Refused;
}

// Whether the connection goes on.
asio::awaitable<bool> HttpConnection::respond(const Head& head) {
  ++turn_;
  expects_piece_ = false;
  response_.reset();
  enter(Phase::Waiting, shared_.options.answer_time);
  const HttpClock::time_point asked = deadline_ - shared_.options.answer_time;
  shared_.handler.handle(head.request, HttpReply(shared_from_this(), turn_));
  if (!response_) co_await wait_for_answer();
  if (!response_) co_return false;
  HttpResponse response = *std::exchange(response_, std::nullopt);
  if (shared_.options.metrics != nullptr) measure(response, asked);
  const bool bodiless = response.status == 204 || response.status == 304;
  ENSURE(response.endless || response.first.bytes.size() <= response.length, response.first.bytes.size(),
         response.length);
  const bool stays = head.wants_to_stay() && !shared_.draining && !response.endless;
  const std::string text = head_text(response, head, stays);
  enter(Phase::Writing, shared_.options.idle);
  if (bodiless || head.is_head()) response.rest.reset();
  const ByteView first = bodiless || head.is_head() ? ByteView() : response.first.bytes;
  if (response.endless) keep_short();
  if (!co_await write(text, first)) co_return false;
  if (!bodiless && !head.is_head() && !co_await send_body(response)) co_return false;
  co_return stays;
}

// Whoever does not read what has no end learns nothing from what the system would hold for it.
void HttpConnection::keep_short() {
  error_code ignored;  // the system's own bound is good, too
  socket_.set_option(asio::socket_base::send_buffer_size(limits::http_stream_bytes), ignored);
}

// What follows the first piece. False when the connection broke, or was broken because the body did.
asio::awaitable<bool> HttpConnection::send_body(HttpResponse& response) {
  ByteCount left = response.endless ? std::numeric_limits<ByteCount>::max()
                                    : response.length - response.first.bytes.size();
  response.first = {};
  while (left > 0) {
    ++turn_;
    expects_piece_ = true;
    piece_.reset();
    enter(Phase::Waiting, shared_.options.answer_time);
    if (response.rest) response.rest->next(HttpPieceReply(shared_from_this(), turn_));
    if (response.rest && !piece_) co_await wait_for_answer();
    if (response.endless && piece_ && *piece_ && (*piece_)->bytes.empty()) break;
    if (!piece_ || !*piece_ || (*piece_)->bytes.empty() || (*piece_)->bytes.size() > left) {
      reset();
      co_return false;
    }
    const HttpPiece piece = **std::exchange(piece_, std::nullopt);
    enter(Phase::Writing, shared_.options.idle);
    if (!co_await write({}, piece.bytes)) co_return false;
    if (!response.endless) left -= piece.bytes.size();
  }
  co_return true;
}

// Tries the socket before it waits for it: most of the time there is room, and waiting costs system calls.
asio::awaitable<bool> HttpConnection::write(std::string_view head, ByteView body) {
  while (!head.empty() || !body.empty()) {
    const std::array<asio::const_buffer, 2> buffers = {asio::buffer(head.data(), head.size()),
                                                       asio::buffer(body.data(), body.size())};
    error_code error;
    const std::size_t count = socket_.write_some(buffers, error);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      const auto [failed] = co_await socket_.async_wait(asio::socket_base::wait_write, as_result);
      if (failed) co_return false;
      continue;
    }
    if (error) co_return false;
    deadline_ = HttpClock::now() + shared_.options.idle;
    const std::size_t of_head = std::min(count, head.size());
    head.remove_prefix(of_head);
    body = body.subspan(count - of_head);
  }
  co_return true;
}

void HttpConnection::measure(const HttpResponse& response, HttpClock::time_point asked) const {
  HttpMetrics& metrics = *shared_.options.metrics;
  metrics.by_status[std::clamp(response.status / 100, 1U, 5U) - 1]->add();
  metrics.sent.add(response.length);
  metrics.answer_time.observe(HttpClock::now() - asked);
}

asio::awaitable<void> HttpConnection::turn_away() {
  const auto self = shared_from_this();  // as in run()
  Head head;
  head.refuse(503, "too many connections are open: try again later");
  co_await refuse(head);
  close();
}

asio::awaitable<void> HttpConnection::refuse(const Head& head) {
  const HttpResponse response = http_line(head.refused_as, head.refusal);
  const std::string text = head_text(response, head, false);
  enter(Phase::Writing, shared_.options.idle);
  const bool written = co_await write(text, head.is_head() ? ByteView() : response.first.bytes);
  if (written) co_await linger();
}

asio::awaitable<void> HttpConnection::linger() {
  enter(Phase::Lingering, linger_time);
  error_code error;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  std::array<char, 4096> rubbish{};
  for (std::size_t taken = 0; taken < linger_bytes;) {
    const auto [failed, count] = co_await socket_.async_read_some(asio::buffer(rubbish), as_result);
    if (failed) break;
    taken += count;
  }
}

asio::awaitable<void> HttpConnection::wait_for_answer() { co_await answered_.async_wait(as_result); }

void HttpConnection::check_deadline(HttpClock::time_point now) {
  if (now < deadline_) return;
  if (phase_ != Phase::Waiting) {
    close();
  } else if (expects_piece_) {
    take(turn_, Result<HttpPiece>(fault(FaultKind::TimedOut, "the next piece did not come in time")));
  } else {
    take(turn_, http_line(504, "no answer could be made in time: try again later"));
  }
}

void HttpConnection::close() {
  error_code ignored;  // it is closed either way
  socket_.close(ignored);
}

// Closes so that the client sees a broken connection and not an end.
void HttpConnection::reset() {
  error_code ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  close();
}

template <typename Answer>
void HttpConnection::take(std::uint64_t turn, Answer answer) {
  const bool is_piece = std::is_same_v<Answer, Result<HttpPiece>>;
  if (turn != turn_ || is_piece != expects_piece_ || response_ || piece_) return;
  accept(std::move(answer));
  answered_.cancel();
}

void HttpConnection::deliver(std::uint64_t turn, HttpResponse response) {
  if (std::this_thread::get_id() == shared_.thread) return take(turn, std::move(response));
  asio::post(socket_.get_executor(), [self = shared_from_this(), turn, late = std::move(response)]() mutable {
    self->take(turn, std::move(late));
  });
}

void HttpConnection::deliver(std::uint64_t turn, Result<HttpPiece> piece) {
  if (std::this_thread::get_id() == shared_.thread) return take(turn, std::move(piece));
  asio::post(socket_.get_executor(), [self = shared_from_this(), turn, late = std::move(piece)]() mutable {
    self->take(turn, std::move(late));
  });
}

void HttpConnection::abandon(std::uint64_t turn) {
  asio::post(socket_.get_executor(), [self = shared_from_this(), turn] {
    if (turn != self->turn_) return;
    if (self->expects_piece_) {
      self->take(turn, Result<HttpPiece>(fault(FaultKind::Failed, "the body was given up")));
    } else {
      self->take(turn, http_line(500, "no answer was made: that is a fault of this server"));
    }
  });
}

std::string HttpConnection::head_text(const HttpResponse& response, const Head& head, bool stays_open) {
  std::string text;
  text.reserve(256 + response.headers.text().size());
  text += "HTTP/1.1 " + std::to_string(response.status) + " ";
  text += view(http::obsolete_reason(static_cast<http::status>(response.status)));
  text += "\r\nDate: " + date() + "\r\n";
  text += response.headers.text();
  if (response.status != 204 && response.status != 304 && !response.endless) {
    text += "Content-Length: " + std::to_string(response.length) + "\r\n";
  }
  if (!stays_open) {
    text += "Connection: close\r\n";
  } else if (head.is_old()) {
    text += "Connection: keep-alive\r\n";
  }
  text += "\r\n";
  return text;
}

// RFC 9110, section 5.6.7. Made once a second.
const std::string& HttpConnection::date() {
  const std::time_t second = std::time(nullptr);
  if (second != shared_.date_second) {
    std::tm parts{};
    gmtime_r(&second, &parts);
    std::array<char, 40> text{};
    const std::size_t size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    shared_.date.assign(text.data(), size);
    shared_.date_second = second;
  }
  return shared_.date;
}

}  // namespace cidbus
