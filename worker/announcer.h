// Tells the leader which blocks this node holds: all of them after each hello, then what comes and goes.
//
// The listing of a large store takes seconds, so a thread of its own does it; changes go the same way,
// through one mailbox, so that what is announced last is what is so.
//
// Invariants: 1. after every bind() the first announcement says `first`, and it alone. 2. What could not be
// sent is sent later, as long as the same leader is bound.
//
// Thread rule: the worker's thread; on_change() from any. Limits: limits::items_a_message keys a message, one
// message a turn; a listing is at most 16 messages ahead of what was sent.
#pragma once

#include <memory>
#include <span>

#include "shared/base/limits/messages.h"
#include "shared/core/message.h"
#include "shared/store/block_store.h"

namespace cidbus {

class Announcer {
 public:
  Announcer();
  ~Announcer();
  Announcer(const Announcer&) = delete;
  Announcer& operator=(const Announcer&) = delete;

  // A change of the store, from the thread that made it.
  void on_change(std::span<const BlockKey> added, std::span<const BlockKey> removed);
  // A leader took the node in: everything is told again. REQUIRES: the store outlives the announcer.
  void bind(BlockStore& store);
  void unbind();

  // Readable when there is something to send.
  [[nodiscard]] int descriptor() const;
  // The next announcement, if there is one; it stays the next until sent() says that it went out.
  const Announce* next();
  void sent();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace cidbus
