// What the leader's own part asks of its driver: records into the journal, messages to nodes, events.
//
// Thread rule: the driver's. Limits: none of its own.
#pragma once

#include <cstdint>

#include "broker/tasks/records.h"
#include "shared/core/message.h"

namespace cidbus {

// The driver's number of a connected node; a node that comes back has another. 0: nobody.
enum class Peer : std::uint32_t { Nobody = 0 };

enum class Urgency : std::uint8_t {
  Now,   // the batch is synced as soon as the disk is free
  Lazy,  // rides with the next batch, within 10 ms (CONSENSUS W1)
};

class Output {
 public:
  virtual ~Output() = default;
  // Appends the record to the open batch; the index it will have. It comes back by on_applied().
  virtual LogIndex propose(RecordType type, ByteView payload, Urgency urgency) = 0;
  // Encodes at once: the message's views end with the call. To a peer that is gone: nothing.
  virtual void send(Peer peer, const Message& message) = 0;
  // For the feed; likewise.
  virtual void event(const TaskEvent& event) = 0;
};

}  // namespace cidbus
