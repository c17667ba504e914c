// The yardstick: a broker that does what every broker must, and nothing else.
//
// Two ROUTER sockets. A task that a client sends is unpacked, remembered in a hash table, and packed for the
// worker that is next; its answer is unpacked, looked up, and packed for its client. What one turn has
// collected for a peer leaves as one message, of at most `batch` tasks. Nothing is kept, ordered, leased, or
// acknowledged.
//
// Thread rule: run() on one thread, stop() from any. Limits: none; clients keep a window.
#pragma once

#include <atomic>
#include <memory>
#include <string>

namespace cidbus::limit {

class Broker {
 public:
  explicit Broker(std::size_t batch);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  // HOST:PORT on loopback, a port of the system's choice.
  [[nodiscard]] const std::string& client_address() const;
  [[nodiscard]] const std::string& worker_address() const;

  void run();
  void stop() { stopped_ = true; }

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::atomic<bool> stopped_ = false;
};

}  // namespace cidbus::limit
