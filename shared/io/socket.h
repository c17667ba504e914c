// ZeroMQ sockets with the options the project's rules ask for, and without exceptions.
//
// ZeroMQ drops silently on an unknown peer or a full pipe; here a ROUTER is MANDATORY, so that both are
// answers of send(). Every socket has a short LINGER (0, but for a DEALER), a message size limit, and a
// reconnect interval of a few milliseconds. With keys (trust.h) every socket speaks CURVE: who binds is the
// server and admits who is on the allow-list, who connects names the key that the other end must have.
//
// Invariants
//  1. send() and receive() never block.
//  2. A message leaves whole or not at all.
//  3. Without keys nothing is bound or connected to beyond loopback, unless told so (Trust::insecure).
//
// Thread rule: a Socket belongs to one thread at a time; a SocketContext may be shared by all.
// Limits: limits::socket_frame_bytes a frame, subscription_bytes to an XPUB; `queue` messages a peer and
// direction, `receive_queue` where messages are large.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shared/base/bytes.h"
#include "shared/base/limits/messages.h"
#include "shared/base/result.h"
#include "shared/core/key_holder.h"
#include "shared/io/broker_book.h"
#include "shared/io/trust.h"

namespace cidbus {

class Gatekeeper;

// Owns the I/O threads and, with keys, the thread that admits peers. Raises the limits on open files and
// sockets as far as the system lets it. REQUIRES: outlives every socket made from it.
class SocketContext {
 public:
  explicit SocketContext(Trust trust = {}, int io_threads = 1);
  ~SocketContext();
  SocketContext(const SocketContext&) = delete;
  SocketContext& operator=(const SocketContext&) = delete;
  [[nodiscard]] void* handle() const { return handle_; }
  [[nodiscard]] const Trust& trust() const { return trust_; }
  [[nodiscard]] const Keyring* keys() const { return trust_.keys.get(); }  // null: none are in use
  [[nodiscard]] BrokerBook& brokers() { return brokers_; }

 private:
  const Trust trust_;
  void* handle_;
  BrokerBook brokers_;
  std::unique_ptr<Gatekeeper> gatekeeper_;
};

enum class SocketKind { Router, Dealer, Pub, Sub, XPub, XSub };
enum class SendAnswer { Sent, Full, Unroutable };

// The frames of one received message. Views of them live until the next receive() into it.
class Frames {
 public:
  Frames();
  ~Frames();
  Frames(Frames&&) noexcept;
  Frames& operator=(Frames&&) noexcept;
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] ByteView operator[](std::size_t place) const;
  // The public key, in Z85, of whom it came from; empty where no keys are in use.
  [[nodiscard]] std::string_view key() const;
  // Ends the connection it came by, if it is still there. The other end may connect again, and is judged
  // anew.
  void cut_connection() const;

 private:
  friend class Socket;
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

enum class ConnectionEvent {
  Connected,
  Disconnected,
  // What follows did not become a connection. Who connects may have to make a new socket: libzmq gives up on
  // the second and the third.
  BrokenOff,   // in the middle of greeting; with keys most likely the other end has another key
  OtherTrust,  // one end has keys and the other has not
  NotAdmitted  // our key is not on their allow-list, or not for this socket
};
inline bool is_refusal(ConnectionEvent event) { return event >= ConnectionEvent::BrokenOff; }

class Socket {
 public:
  struct Options {
    std::string routing_id;       // DEALER: what a ROUTER knows it by; empty for one of ZeroMQ's
    int queue = 1000;             // messages a peer and direction
    int receive_queue = 0;        // messages received from a peer and not yet read; 0: as `queue`
    bool immediate = true;        // queue only for completed connections
    std::uint64_t affinity = 0;   // which of the context's I/O threads may serve it, as bits; 0: any
    RoleSet admits = every_role;  // with keys, bound: whose connections are let in
  };

  Socket(SocketContext& context, SocketKind kind, const Options& options);
  Socket(SocketContext& context, SocketKind kind);
  ~Socket();
  Socket(Socket&&) noexcept;
  Socket& operator=(Socket&&) noexcept;

  // `address` is HOST:PORT; port * picks a free one. BadUsage for an address that makes no sense, Failed when
  // it is taken, NotAllowed beyond loopback without keys. With keys, `server_key` is the public key that the
  // other end must have.
  Status bind(const std::string& address);
  Status connect(const std::string& address, std::string_view server_key = {});
  void disconnect(const std::string& address);
  // HOST:PORT it is bound to.
  [[nodiscard]] std::string bound_address() const;
  void subscribe(std::string_view topic);
  void unsubscribe(std::string_view topic);

  SendAnswer send(std::initializer_list<ByteView> frames);
  // The last frame is sent without a copy; `owner` is let go, on any thread, when ZeroMQ is done with it.
  SendAnswer send(std::initializer_list<ByteView> frames, ByteView last, std::shared_ptr<const void> owner);
  // The frames after the first are sent without a copy, each kept until ZeroMQ is done with it.
  SendAnswer send(ByteView first, std::span<const std::shared_ptr<const Bytes>> shared);
  // False when nothing is waiting.
  bool receive(Frames& into);

  // From the first call on, connection events are kept for the caller. The handle, for a Reactor, is readable
  // when one waits.
  void* monitor();
  std::optional<ConnectionEvent> next_event();

  [[nodiscard]] void* handle() const;

 private:
  struct Handles;
  std::unique_ptr<Handles> handles_;
};

}  // namespace cidbus
