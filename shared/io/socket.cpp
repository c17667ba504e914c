#include "shared/io/socket.h"

#include <sys/resource.h>
#include <zmq.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <zmq.hpp>

#include "shared/base/ensure.h"
#include "shared/base/limits/words.h"

namespace cidbus {
namespace {

constexpr int reconnect_milliseconds = 5;
constexpr int reconnect_most_milliseconds = 200;
constexpr int max_sockets = 65'000;
constexpr std::int64_t subscription_bytes = 256;  // the longest prefix one may subscribe to
// A DEALER that is closed gets this long to send its last words; with IMMEDIATE there are none for who is not
// there.
constexpr int dealer_linger_milliseconds = 200;

void raise_open_files() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

int zmq_kind(SocketKind kind) {
  switch (kind) {
    case SocketKind::Router:
      return ZMQ_ROUTER;
    case SocketKind::Dealer:
      return ZMQ_DEALER;
    case SocketKind::Pub:
      return ZMQ_PUB;
    case SocketKind::Sub:
      return ZMQ_SUB;
    case SocketKind::XPub:
      return ZMQ_XPUB;
    case SocketKind::XSub:
      return ZMQ_XSUB;
  }
  return ZMQ_DEALER;
}

std::string monitor_address() {
  static std::atomic<std::uint64_t> number{0};
  return "inproc://monitor-" + std::to_string(++number);
}

}  // namespace

SocketContext::SocketContext(int io_threads) : handle_(zmq_ctx_new()) {
  ENSURE(handle_ != nullptr);
  raise_open_files();
  zmq_ctx_set(handle_, ZMQ_IO_THREADS, io_threads);
  zmq_ctx_set(handle_, ZMQ_MAX_SOCKETS, std::min(max_sockets, zmq_ctx_get(handle_, ZMQ_SOCKET_LIMIT)));
}

SocketContext::~SocketContext() { zmq_ctx_term(handle_); }

struct Frames::Parts {
  std::vector<zmq::message_t> messages;
  std::size_t count = 0;
};

Frames::Frames() : parts_(std::make_unique<Parts>()) {}
Frames::~Frames() = default;
Frames::Frames(Frames&&) noexcept = default;
Frames& Frames::operator=(Frames&&) noexcept = default;
std::size_t Frames::size() const { return parts_->count; }
ByteView Frames::operator[](std::size_t place) const {
  ENSURE(place < parts_->count, "place", place);
  const zmq::message_t& message = parts_->messages[place];
  return {message.data<std::uint8_t>(), message.size()};
}

struct Socket::Handles {
  void* socket = nullptr;
  void* context = nullptr;
  void* monitor = nullptr;
  bool router = false;

  ~Handles() {
    if (monitor != nullptr) {
      zmq_socket_monitor(socket, nullptr, 0);
      zmq_close(monitor);
    }
    if (socket != nullptr) zmq_close(socket);
  }
  void set(int option, int value) const {
    const int done = zmq_setsockopt(socket, option, &value, sizeof(value));
    ENSURE(done == 0, "option", option, "value", value, zmq_strerror(errno));
  }
};

Socket::Socket(SocketContext& context, SocketKind kind) : Socket(context, kind, Options()) {}

Socket::Socket(SocketContext& context, SocketKind kind, const Options& options)
    : handles_(std::make_unique<Handles>()) {
  handles_->context = context.handle();
  handles_->socket = zmq_socket(context.handle(), zmq_kind(kind));
  ENSURE(handles_->socket != nullptr, zmq_strerror(errno));
  handles_->set(ZMQ_LINGER, 0);
  handles_->set(ZMQ_SNDHWM, options.queue);
  handles_->set(ZMQ_RCVHWM, options.receive_queue != 0 ? options.receive_queue : options.queue);
  if (options.affinity != 0)
    zmq_setsockopt(handles_->socket, ZMQ_AFFINITY, &options.affinity, sizeof(options.affinity));
  handles_->set(ZMQ_RECONNECT_IVL, reconnect_milliseconds);
  handles_->set(ZMQ_RECONNECT_IVL_MAX, reconnect_most_milliseconds);
  // To an XPUB come subscriptions only, which libzmq keeps in a trie as deep as they are long.
  const std::int64_t largest = kind == SocketKind::XPub ? subscription_bytes : limits::socket_frame_bytes;
  zmq_setsockopt(handles_->socket, ZMQ_MAXMSGSIZE, &largest, sizeof(largest));
  if (kind == SocketKind::Router) {
    handles_->router = true;
    handles_->set(ZMQ_ROUTER_MANDATORY, 1);
    handles_->set(ZMQ_ROUTER_HANDOVER, 1);  // a peer that reconnects takes its place at once
  }
  if (kind == SocketKind::Dealer) {
    handles_->set(ZMQ_IMMEDIATE, options.immediate ? 1 : 0);
    handles_->set(ZMQ_LINGER, dealer_linger_milliseconds);
    if (!options.routing_id.empty()) {
      zmq_setsockopt(handles_->socket, ZMQ_ROUTING_ID, options.routing_id.data(), options.routing_id.size());
    }
  }
}

Socket::~Socket() = default;
Socket::Socket(Socket&&) noexcept = default;
Socket& Socket::operator=(Socket&&) noexcept = default;
void* Socket::handle() const { return handles_->socket; }

Status Socket::bind(const std::string& address) {
  if (zmq_bind(handles_->socket, ("tcp://" + address).c_str()) == 0) return {};
  const bool senseless = errno == EINVAL || errno == EPROTONOSUPPORT;
  return fault(senseless ? FaultKind::BadUsage : FaultKind::Failed,
               "cannot listen on " + address + ": " + zmq_strerror(errno) +
                   (errno == EADDRINUSE ? "; stop the process that has the port, or choose another" : ""));
}

Status Socket::connect(const std::string& address) {
  if (zmq_connect(handles_->socket, ("tcp://" + address).c_str()) == 0) return {};
  return fault(FaultKind::BadUsage,
               "cannot connect to '" + address + "': " + zmq_strerror(errno) + "; give HOST:PORT");
}

std::string Socket::bound_address() const {
  char text[limits::endpoint_length] = {};
  std::size_t size = sizeof(text);
  if (zmq_getsockopt(handles_->socket, ZMQ_LAST_ENDPOINT, text, &size) != 0) return {};
  const std::string_view endpoint(text);
  constexpr std::string_view scheme = "tcp://";
  return std::string(endpoint.substr(0, scheme.size()) == scheme ? endpoint.substr(scheme.size()) : endpoint);
}

void Socket::subscribe(std::string_view topic) {
  zmq_setsockopt(handles_->socket, ZMQ_SUBSCRIBE, topic.data(), topic.size());
}

namespace {

SendAnswer answer_of_errno() {
  if (errno == EHOSTUNREACH) return SendAnswer::Unroutable;
  ENSURE(errno == EAGAIN || errno == EINTR, zmq_strerror(errno));
  return SendAnswer::Full;
}

SendAnswer send_shared(void* socket, ByteView bytes, std::shared_ptr<const void> owner, int more) {
  auto* kept = new std::shared_ptr<const void>(std::move(owner));
  zmq_msg_t message;
  zmq_msg_init_data(
      &message, const_cast<std::uint8_t*>(bytes.data()), bytes.size(),
      [](void*, void* hint) { delete static_cast<std::shared_ptr<const void>*>(hint); }, kept);
  if (zmq_msg_send(&message, socket, ZMQ_DONTWAIT | more) >= 0) return SendAnswer::Sent;
  const SendAnswer answer = answer_of_errno();
  zmq_msg_close(&message);
  return answer;
}

}  // namespace

// Only the first frame can be refused: ZeroMQ takes the rest of a message it has begun.
SendAnswer Socket::send(std::initializer_list<ByteView> frames) {
  std::size_t left = frames.size();
  for (const ByteView frame : frames) {
    const int more = --left > 0 ? ZMQ_SNDMORE : 0;
    if (zmq_send(handles_->socket, frame.data(), frame.size(), ZMQ_DONTWAIT | more) < 0)
      return answer_of_errno();
  }
  return SendAnswer::Sent;
}

SendAnswer Socket::send(std::initializer_list<ByteView> frames, ByteView last,
                        std::shared_ptr<const void> owner) {
  for (const ByteView frame : frames) {
    if (zmq_send(handles_->socket, frame.data(), frame.size(), ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0)
      return answer_of_errno();
  }
  return send_shared(handles_->socket, last, std::move(owner), 0);
}

SendAnswer Socket::send(ByteView first, std::span<const std::shared_ptr<const Bytes>> shared) {
  const int more = shared.empty() ? 0 : ZMQ_SNDMORE;
  if (zmq_send(handles_->socket, first.data(), first.size(), ZMQ_DONTWAIT | more) < 0)
    return answer_of_errno();
  for (const auto& frame : shared) {
    const bool last = &frame == &shared.back();
    const SendAnswer answer = send_shared(handles_->socket, *frame, frame, last ? 0 : ZMQ_SNDMORE);
    if (answer != SendAnswer::Sent) return answer;
  }
  return SendAnswer::Sent;
}

bool Socket::receive(Frames& into) {
  Frames::Parts& parts = *into.parts_;
  parts.count = 0;
  bool more = true;
  while (more) {
    if (parts.messages.size() == parts.count) parts.messages.emplace_back();
    zmq_msg_t* message = parts.messages[parts.count].handle();
    if (zmq_msg_recv(message, handles_->socket, ZMQ_DONTWAIT) < 0) {
      if (errno == EINTR) continue;
      ENSURE(errno == EAGAIN && parts.count == 0, zmq_strerror(errno));
      return false;
    }
    more = zmq_msg_more(message) != 0;
    ++parts.count;
  }
  return true;
}

void* Socket::monitor() {
  if (handles_->monitor == nullptr) {
    const std::string address = monitor_address();
    int done = zmq_socket_monitor(handles_->socket, address.c_str(),
                                  ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED);
    ENSURE(done == 0, zmq_strerror(errno));
    handles_->monitor = zmq_socket(handles_->context, ZMQ_PAIR);
    done = zmq_connect(handles_->monitor, address.c_str());
    ENSURE(done == 0, zmq_strerror(errno));
  }
  return handles_->monitor;
}

std::optional<ConnectionEvent> Socket::next_event() {
  if (handles_->monitor == nullptr) return std::nullopt;
  zmq::message_t event;
  zmq::message_t address;
  if (zmq_msg_recv(event.handle(), handles_->monitor, ZMQ_DONTWAIT) < 0) return std::nullopt;
  zmq_msg_recv(address.handle(), handles_->monitor, ZMQ_DONTWAIT);
  ENSURE(event.size() >= 2, "size", event.size());
  std::uint16_t number = 0;
  std::memcpy(&number, event.data(), sizeof(number));
  return number == ZMQ_EVENT_DISCONNECTED ? ConnectionEvent::Disconnected : ConnectionEvent::Connected;
}

}  // namespace cidbus
