// Counts the bytes of blocks that ZeroMQ holds for a peer and for all: the credit of a server that sends.
//
// ZeroMQ tells when it is done with a message by letting go of its owner, which is a Flight here. That
// happens on its own thread, so the counts are atomic, and the descriptor wakes whoever waits for room.
//
// Thread rule: take() and the questions by one thread, the end of a Flight on any.
// Limits: those given to take().
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <memory>

#include "shared/base/ensure.h"
#include "shared/content/block.h"

namespace cidbus {

class FlightBudget {
 public:
  FlightBudget() : descriptor_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { ENSURE(descriptor_ >= 0, errno); }
  FlightBudget(const FlightBudget&) = delete;
  FlightBudget& operator=(const FlightBudget&) = delete;
  ~FlightBudget() { ::close(descriptor_); }

  // Readable once bytes were given back after wait_for_room().
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] ByteCount bytes() const { return bytes_; }
  void wait_for_room() { waited_for_ = true; }
  void clear_descriptor() const {
    eventfd_t count = 0;
    ::eventfd_read(descriptor_, &count);
  }

 private:
  friend class Flight;
  const int descriptor_;
  std::atomic<ByteCount> bytes_ = 0;
  std::atomic<bool> waited_for_ = false;
};

// The bytes on their way to one peer.
using PeerFlights = std::atomic<ByteCount>;

// Keeps a block alive, and counted, until it is destroyed.
class Flight {
 public:
  Flight(std::shared_ptr<FlightBudget> all, std::shared_ptr<PeerFlights> peer, Block block)
      : all_(std::move(all)), peer_(std::move(peer)), block_(std::move(block)) {
    all_->bytes_ += block_.bytes().size();
    *peer_ += block_.bytes().size();
  }
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;
  ~Flight() {
    all_->bytes_ -= block_.bytes().size();
    *peer_ -= block_.bytes().size();
    if (all_->waited_for_.exchange(false)) ::eventfd_write(all_->descriptor_, 1);
  }

 private:
  // Shared, since ZeroMQ may hold a message longer than the server or the peer's queue lives.
  const std::shared_ptr<FlightBudget> all_;
  const std::shared_ptr<PeerFlights> peer_;
  const Block block_;
};

}  // namespace cidbus
