// What brokers say to each other, to frames and back (schema/group.capnp).
//
// A head frame, and behind it the batches of the message, each a frame of its own and byte for byte what lies
// in the journal: a batch is neither copied nor encoded again on its way to a follower.
//
// Invariants
//  1. decode() never throws, never reads outside the frames, and accepts only a head whose checksum is right
//     and values within limits/group.h. That each batch is whole is for who knows what a batch is
//     (broker/consensus/peer_registry.h).
//  2. The names in a decoded header live until the decoder's next decode() and as long as the head frame.
//  3. encode() of a message within limits/group.h decodes to the same message.
//
// Thread rule: one owner each. Limits: limits::append_batches frames behind a head.
#pragma once

#include <memory>
#include <span>

#include "shared/base/result.h"
#include "shared/core/group_messages.h"

namespace cidbus {

struct GroupEnvelope {
  group::GroupHeader header;
  group::GroupMessage message;
};

// What follows the head of this message, a frame each.
std::span<const group::SharedBatch> frames_behind(const group::GroupMessage& message);

class GroupEncoder {
 public:
  GroupEncoder();
  ~GroupEncoder();
  // The head; valid until the next encode().
  ByteView encode(const group::GroupHeader& header, const group::GroupMessage& message);

 private:
  struct Buffers;
  std::unique_ptr<Buffers> buffers_;
};

class GroupDecoder {
 public:
  // BadData with the reason, for what is no message of this protocol. A message of another version comes with
  // its header and no body: RESIGN stands for it, and nobody acts on it.
  Result<GroupEnvelope> decode(ByteView head, std::vector<group::SharedBatch> behind);

 private:
  Bytes aligned_;  // Cap'n Proto needs what it reads to begin at a multiple of 8
};

}  // namespace cidbus
