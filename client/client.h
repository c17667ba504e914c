// The bus for one who submits and waits: a session (session_core.h) on a connection and a reactor of its own.
//
// For the command and for programs without a loop of their own. Nothing happens between calls of run();
// within it, one thread reads, calls back and sends what a turn has collected. Questions that need no session
// are asked with shared/io/bus_asker.h.
//
// Invariants
//  1. run() returns by its deadline, and earlier when no broker is to be had: Unavailable names every
//     address.
//  2. What the session promises (session_core.h), it promises across run() calls.
//
// Thread rule: one thread. Limits: SessionSettings; has_room() says when to wait.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "client/session_core.h"
#include "shared/base/result.h"
#include "shared/io/bus_link.h"

namespace cidbus {

class Client {
 public:
  // What becomes of submissions; called from run() only. Views end with the call. See SessionOutput.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void accepted(Ticket ticket, TaskId task, bool duplicate) = 0;
    virtual void rejected(Ticket ticket, const Fault& why) = 0;
    virtual void result(Ticket ticket, const TaskInfo& info) = 0;
    virtual void unknown(Ticket ticket, TaskId task) = 0;
  };

  // How long run() goes on. A cluster may be away for a while in the middle of a fail-over.
  struct Patience {
    Monotonic deadline = Monotonic::max();
    Duration first_contact = std::chrono::seconds(5);
    Duration outage = std::chrono::seconds(60);
  };

  // REQUIRES: `context` and `listener` outlive the client; `brokers` is not empty.
  Client(SocketContext& context, NodeIdentity identity, std::vector<std::string> brokers,
         const SessionSettings& settings, Listener& listener);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  [[nodiscard]] bool has_room() const;
  // A leader has welcomed this client, now or before.
  [[nodiscard]] bool has_contact() const;
  // Queues a submission; the bytes are copied. REQUIRES: has_room() and what SessionCore::submit requires.
  Ticket submit(std::string_view type, const TaskOptions& options, ByteView work);
  // Every submission was called back to its end.
  [[nodiscard]] bool idle() const;

  // Turns until `done`, which is asked after every turn. TimedOut at the deadline, Unavailable without a
  // broker, NotAllowed and so on when the broker refuses this client.
  Status run(const Patience& patience, const std::function<bool()>& done);
  // Calls `handler` from run() whenever the descriptor is readable.
  void watch(int descriptor, std::function<void()> handler);
  void unwatch(int descriptor);

  // Tells the broker that the session is over, if one is there, and waits a moment until it has heard; the
  // last thing to do with a client.
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A name of its own for each client process: "cli-" and 12 hexadecimal digits.
NodeIdentity client_identity(std::string cluster);

// What a broker's refusal means to who asked.
Fault fault_of(Refusal why, std::string_view reason);

}  // namespace cidbus
