// Answers libzmq's question, for each connection to a socket of ours, whether its key is let in (ZAP, ZeroMQ
// RFC 27), and reads the allow-list again when its file changes.
//
// What a key is let in as is not decided here: its text becomes the connection's user id, and whoever reads
// a message looks up its holder in the list as it then stands (key_view.h).
//
// An actor: a thread of its own, which alone has the ZAP socket. Thread rule: made and destroyed by the
// SocketContext. Limits: one line a second about who was refused.
#pragma once

#include <memory>

#include "shared/io/trust.h"

namespace cidbus {

class Gatekeeper {
 public:
  // On return it answers. REQUIRES: trust.keys; the context outlives it, and has no other.
  Gatekeeper(void* zmq_context, Trust trust);
  ~Gatekeeper();
  Gatekeeper(const Gatekeeper&) = delete;
  Gatekeeper& operator=(const Gatekeeper&) = delete;

 private:
  class Actor;
  std::unique_ptr<Actor> actor_;
};

}  // namespace cidbus
