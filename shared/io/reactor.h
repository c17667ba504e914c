// The one loop of a role's main thread: wait, do what is due, let the owner send what the turn has collected.
//
// A turn: every readable source's handler is called once, then the turn's end, which sends the batches that
// formed and says when it wants to be called at the latest. Handlers read a bounded number of messages, so
// that no source starves another. The house's rule is that no turn takes more than 10 ms.
//
// Thread rule: one thread runs it; stop() and wake() may be called from any thread.
// Limits: none of its own.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "shared/base/time.h"

namespace cidbus {

class Histogram;
class Socket;

class Reactor {
 public:
  using Handler = std::function<void(Now)>;
  // Returns when it wants to be called again at the latest; nothing means: when something is readable.
  using TurnEnd = std::function<std::optional<Monotonic>(Now)>;

  Reactor();
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  void watch(const Socket& socket, Handler handler);
  void watch_monitor(Socket& socket, Handler handler);  // of its connection events
  void watch(int descriptor, Handler handler);
  void unwatch(const Socket& socket);
  void unwatch_monitor(Socket& socket);
  void unwatch(int descriptor);
  void at_turn_end(TurnEnd turn_end);
  // How long turns take, without the wait before them; it outlives the reactor's running.
  void measure_turns(Histogram& turns);

  // Until stop(). One turn only, waiting `most` for something to happen; false once stopped.
  void run();
  bool run_once(Duration most);
  void stop();
  // Makes the loop take a turn soon.
  void wake();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cidbus
