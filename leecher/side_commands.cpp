#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>

#include "leecher/options.h"
#include "leecher/pin_list.h"
#include "leecher/status.h"
#include "shared/io/bus_link.h"

namespace cidbus {
namespace {

constexpr timeval patience{5, 0};
constexpr std::size_t most_answer_bytes = 1 << 20;

// A socket of this process, connected; closed with it.
class Connection {
 public:
  ~Connection() {
    if (socket_ >= 0) ::close(socket_);
  }
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool open(const std::string& host, const std::string& port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) return false;
    socket_ = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const bool connected = socket_ >= 0 && ::connect(socket_, found->ai_addr, found->ai_addrlen) == 0;
    ::freeaddrinfo(found);
    return connected;
  }
  bool send(std::string_view text) {
    return ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }
  // Until the other end closes.
  std::string read() {
    std::string text;
    char piece[4096];
    while (text.size() < most_answer_bytes) {
      const ssize_t got = ::recv(socket_, piece, sizeof piece, 0);
      if (got <= 0) break;
      text.append(piece, static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  int socket_ = -1;
};

Result<std::vector<Pin>> parse_all(const std::vector<std::string>& texts) {
  std::vector<Pin> pins;
  for (const std::string& text : texts) {
    auto pin = parse_pin(text);
    if (!pin) return tl::unexpected(pin.error());
    pins.push_back(*std::move(pin));
  }
  return pins;
}

}  // namespace

Result<std::string> show_status(const ShowStatus& wanted) {
  if (const auto addresses = parse_addresses(wanted.http); !addresses || addresses->size() > 1)
    return fault(FaultKind::BadUsage, "--http: '" + wanted.http + "' is no address; give HOST:PORT");
  const auto colon = wanted.http.rfind(':');
  Connection connection;
  if (!connection.open(wanted.http.substr(0, colon), wanted.http.substr(colon + 1))) {
    return fault(FaultKind::Unavailable,
                 "no leecher answers at " + wanted.http + "; start one, or give --http HOST:PORT");
  }
  const std::string request =
      "GET /status HTTP/1.1\r\nHost: " + wanted.http + "\r\nConnection: close\r\n\r\n";
  const std::string answer = connection.send(request) ? connection.read() : std::string();
  if (answer.empty())
    return fault(FaultKind::TimedOut,
                 "what listens at " + wanted.http + " is silent; see to it, or check --http");
  const auto body = answer.find("\r\n\r\n");
  if (!answer.starts_with("HTTP/1.1 200 ") || body == std::string::npos) {
    return fault(FaultKind::Unavailable,
                 "what listens at " + wanted.http + " does not answer as a leecher does; check --http");
  }
  const std::string json = answer.substr(body + 4);
  if (wanted.output == "table") return status_table(json);
  return wanted.output == "quiet" ? status_name(json) : Result<std::string>(json);
}

Result<std::string> edit_pins(const EditPins& wanted) {
  const auto given = parse_all(wanted.pins);
  if (!given) return tl::unexpected(given.error());
  auto pins = read_pins(wanted.data);
  if (!pins) return tl::unexpected(pins.error());
  if (wanted.what == EditPins::What::List) {
    std::string text;
    for (const Pin& pin : *pins) text += pin.text + '\n';
    return text;
  }
  for (const Pin& pin : *given) {
    const auto at = std::find(pins->begin(), pins->end(), pin);
    if (wanted.what == EditPins::What::Add) {
      if (at == pins->end()) pins->push_back(pin);
    } else if (at == pins->end()) {
      return fault(FaultKind::NotFound, pin.text + " is not pinned; see 'cidbus-leecher pin ls'");
    } else {
      pins->erase(at);
    }
  }
  if (pins->size() > limits::pins_a_leecher)
    return fault(FaultKind::TryAgain,
                 "a leecher has at most " + std::to_string(limits::pins_a_leecher) + " pins");
  if (Status written = write_pins(wanted.data, *pins); !written) return tl::unexpected(written.error());
  return std::string();
}

}  // namespace cidbus
