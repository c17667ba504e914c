#include "shared/io/socket.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <zmq.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <zmq.hpp>

#include "shared/base/ensure.h"
#include "shared/base/limits/words.h"
#include "shared/io/gatekeeper.h"
#include "shared/io/keyring.h"

namespace cidbus {
namespace {

constexpr int reconnect_milliseconds = 5;
constexpr int reconnect_most_milliseconds = 200;
// A path that was cut is tried anew, not at the end of TCP's own waiting, which doubles as long as the cut
// lasts. Longer than any profile's suspicion (broker/consensus/timers.h): a broken connection means more than
// silence.
constexpr int unacknowledged_milliseconds = 3000;
constexpr int connect_milliseconds = 1000;
constexpr int max_sockets = 65'000;
constexpr std::int64_t subscription_bytes = 256;  // the longest prefix one may subscribe to
constexpr std::int64_t greeting_bytes = 512;      // with keys: the longest command of CURVE's handshake
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

SocketContext::SocketContext(Trust trust, int io_threads) : trust_(std::move(trust)), handle_(zmq_ctx_new()) {
  ENSURE(handle_ != nullptr);
  raise_open_files();
  zmq_ctx_set(handle_, ZMQ_IO_THREADS, io_threads);
  zmq_ctx_set(handle_, ZMQ_MAX_SOCKETS, std::min(max_sockets, zmq_ctx_get(handle_, ZMQ_SOCKET_LIMIT)));
  if (trust_.keys != nullptr) gatekeeper_ = std::make_unique<Gatekeeper>(handle_, trust_);
}

SocketContext::~SocketContext() {
  gatekeeper_.reset();
  zmq_ctx_term(handle_);
}

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
// Of the last frame: a ROUTER's first is made by libzmq and came by no connection.
std::string_view Frames::key() const {
  if (parts_->count == 0) return {};
  const char* const user = zmq_msg_gets(parts_->messages[parts_->count - 1].handle(), "User-Id");
  return user == nullptr ? std::string_view() : std::string_view(user);
}
// Should the connection have ended and its number stand for another one by now, that one is made anew by
// whoever needs it.
void Frames::cut_connection() const {
  if (parts_->count == 0) return;
  const int descriptor = zmq_msg_get(parts_->messages[parts_->count - 1].handle(), ZMQ_SRCFD);
  if (descriptor >= 0) ::shutdown(descriptor, SHUT_RDWR);
}

struct Socket::Handles {
  void* socket = nullptr;
  void* context = nullptr;
  void* monitor = nullptr;
  const Trust* trust = nullptr;
  RoleSet admits = every_role;

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
  // Says nothing of the value, which may be a private key.
  void set(int option, const std::string& text) const {
    const bool is_text =
        option != ZMQ_CURVE_SECRETKEY && option != ZMQ_CURVE_PUBLICKEY && option != ZMQ_CURVE_SERVERKEY;
    const int done = zmq_setsockopt(socket, option, text.c_str(), text.size() + (is_text ? 0 : 1));
    ENSURE(done == 0, "option", option, zmq_strerror(errno));
  }
  void speak_as_server() const {
    if (trust->keys == nullptr) return;
    std::string domain = to_text(admits);  // the gatekeeper reads it back
    std::erase(domain, ' ');
    set(ZMQ_CURVE_SERVER, 1);
    set(ZMQ_CURVE_SECRETKEY, trust->keys->own().private_key);
    set(ZMQ_ZAP_DOMAIN, domain);
  }
  void speak_to(std::string_view server_key) const {
    set(ZMQ_CURVE_SERVERKEY, std::string(server_key));
    set(ZMQ_CURVE_PUBLICKEY, trust->keys->own().public_key);
    set(ZMQ_CURVE_SECRETKEY, trust->keys->own().private_key);
  }
};

Socket::Socket(SocketContext& context, SocketKind kind) : Socket(context, kind, Options()) {}

Socket::Socket(SocketContext& context, SocketKind kind, const Options& options)
    : handles_(std::make_unique<Handles>()) {
  handles_->context = context.handle();
  handles_->trust = &context.trust();
  handles_->admits = options.admits;
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
  const std::int64_t subscription = context.keys() == nullptr ? subscription_bytes : greeting_bytes;
  const std::int64_t largest = kind == SocketKind::XPub ? subscription : limits::socket_frame_bytes;
  zmq_setsockopt(handles_->socket, ZMQ_MAXMSGSIZE, &largest, sizeof(largest));
  if (kind == SocketKind::Router) {
    handles_->set(ZMQ_ROUTER_MANDATORY, 1);
    handles_->set(ZMQ_ROUTER_HANDOVER, 1);  // a peer that reconnects takes its place at once
  }
  if (kind == SocketKind::Dealer) {
    handles_->set(ZMQ_IMMEDIATE, options.immediate ? 1 : 0);
    handles_->set(ZMQ_LINGER, dealer_linger_milliseconds);
    if (options.affinity != 0) {  // between brokers, which alone have I/O threads to themselves
      handles_->set(ZMQ_TCP_MAXRT, unacknowledged_milliseconds);
      handles_->set(ZMQ_CONNECT_TIMEOUT, connect_milliseconds);
    }
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
  if (Status may = may_use(*handles_->trust, "listen on", address); !may) return may;
  handles_->speak_as_server();
  if (zmq_bind(handles_->socket, ("tcp://" + address).c_str()) == 0) return {};
  const bool senseless = errno == EINVAL || errno == EPROTONOSUPPORT;
  return fault(senseless ? FaultKind::BadUsage : FaultKind::Failed,
               "cannot listen on " + address + ": " + zmq_strerror(errno) +
                   (errno == EADDRINUSE ? "; stop the process that has the port, or choose another" : ""));
}

Status Socket::connect(const std::string& address, std::string_view server_key) {
  if (Status may = may_use(*handles_->trust, "connect to", address); !may) return may;
  if (handles_->trust->keys != nullptr) {
    if (!is_key(server_key)) {
      return fault(FaultKind::NotAllowed, "will not connect to " + address + ": the allow-list " +
                                              handles_->trust->keys->allow_file() +
                                              " has no key for who is there");
    }
    handles_->speak_to(server_key);
  }
  if (zmq_connect(handles_->socket, ("tcp://" + address).c_str()) == 0) return {};
  return fault(FaultKind::BadUsage,
               "cannot connect to '" + address + "': " + zmq_strerror(errno) + "; give HOST:PORT");
}

void Socket::disconnect(const std::string& address) {
  zmq_disconnect(handles_->socket, ("tcp://" + address).c_str());
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
void Socket::unsubscribe(std::string_view topic) {
  zmq_setsockopt(handles_->socket, ZMQ_UNSUBSCRIBE, topic.data(), topic.size());
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
                                  ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED |
                                      ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                                      ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
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
  std::uint32_t value = 0;
  if (event.size() >= sizeof(number) + sizeof(value))
    std::memcpy(&value, event.data<std::uint8_t>() + sizeof(number), sizeof(value));
  switch (number) {
    case ZMQ_EVENT_DISCONNECTED:
      return ConnectionEvent::Disconnected;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
      return ConnectionEvent::BrokenOff;
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
      return value == ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH ? ConnectionEvent::OtherTrust
                                                                 : ConnectionEvent::BrokenOff;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
      return ConnectionEvent::NotAdmitted;
    default:
      return ConnectionEvent::Connected;
  }
}

}  // namespace cidbus
