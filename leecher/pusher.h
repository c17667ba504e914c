// Brings what was added through a leecher while it was cut off to the workers, once a broker is there.
//
// Each block is let go only when enough workers have synced it, and then stands in the cache.
//
// An actor. Thread rule: the owner's; a thread of its own inside. Limits: a batch of blocks in memory.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "leecher/local_blocks.h"
#include "shared/io/bus_link.h"

namespace cidbus {

class Pusher {
 public:
  // REQUIRES: context, stop and what `local` refers to outlive it.
  Pusher(SocketContext& context, NodeIdentity leecher, std::vector<std::string> brokers, LocalBlocks local,
         const std::atomic<bool>& stop);
  // REQUIRES: stop is true.
  ~Pusher();
  Pusher(const Pusher&) = delete;
  Pusher& operator=(const Pusher&) = delete;

  // A leader is there: looks at once whether there is anything to push, and not only within a second.
  void begin();
  // Readable when a batch went out or failed.
  [[nodiscard]] int descriptor() const;
  // Why the last batch did not go out; empty when it did.
  std::string take_trouble();
  [[nodiscard]] bool is_done() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cidbus
