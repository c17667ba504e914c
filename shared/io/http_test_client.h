// A blocking HTTP client over a raw socket, for tests: what it sends and what it reads is there to the byte.
//
// Every wait has an end far away (10 s), which fails the test that runs into it.
//
// Thread rule: one thread. Limits: none; for tests only.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace cidbus::http_test {

struct Answer {
  unsigned status = 0;
  std::string head;  // with its empty line
  std::string body;
  bool broken = false;  // the connection ended before the announced length
  // Empty when there is none. The name in the case it is sent in.
  [[nodiscard]] std::string header(std::string_view name) const {
    const auto at = head.find("\r\n" + std::string(name) + ": ");
    if (at == std::string::npos) return {};
    const auto begin = at + name.size() + 4;
    return head.substr(begin, head.find("\r\n", begin) - begin);
  }
};

class Client {
 public:
  // "127.0.0.1:PORT". `receive_buffer` 0 leaves it to the system.
  explicit Client(const std::string& address, int receive_buffer = 0) {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    const timeval patience{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (receive_buffer > 0) {
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
    }
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    ::inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0) {
      ADD_FAILURE() << "cannot connect to " << address << ": " << std::strerror(errno);
    }
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // False when the other end is gone.
  bool send(std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  // More headers each with "\r\n" behind it.
  void request(std::string_view target, std::string_view headers = {}, std::string_view method = "GET") {
    send(std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: test\r\n" +
         std::string(headers) + "\r\n");
  }
  // The next response. For one to HEAD no body is expected, whatever it announces.
  Answer read(bool to_head = false) {
    Answer answer;
    while (input_.find("\r\n\r\n") == std::string::npos) {
      if (!receive()) {
        answer.broken = true;
        return answer;
      }
    }
    answer.head = input_.substr(0, input_.find("\r\n\r\n") + 4);
    input_.erase(0, answer.head.size());
    answer.status = static_cast<unsigned>(std::stoi(answer.head.substr(9, 3)));
    const std::string length = answer.header("Content-Length");
    const std::size_t wanted = to_head || length.empty() ? 0 : std::stoul(length);
    while (input_.size() < wanted && !answer.broken) answer.broken = !receive();
    answer.body = input_.substr(0, wanted);
    input_.erase(0, answer.body.size());
    return answer;
  }
  Answer get(std::string_view target, std::string_view headers = {}) {
    request(target, headers);
    return read();
  }
  // Whether the other end closed, and sent nothing more before it did.
  bool ended() { return input_.empty() && !receive() && input_.empty(); }
  // What comes until the other end closes.
  std::string read_to_end() {
    while (receive()) continue;
    return std::exchange(input_, {});
  }
  // The other end broke the connection off.
  [[nodiscard]] bool was_reset() const { return reset_; }
  // Sends an end and goes on reading.
  void finish() { ::shutdown(socket_, SHUT_WR); }

 private:
  bool receive() {
    char buffer[65536];
    const ssize_t count = ::recv(socket_, buffer, sizeof(buffer), 0);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) ADD_FAILURE() << "nothing came for 10 s";
    if (count < 0 && errno == ECONNRESET) reset_ = true;
    if (count <= 0) return false;
    input_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  int socket_ = -1;
  bool reset_ = false;
  std::string input_;  // received and not yet read
};

}  // namespace cidbus::http_test
