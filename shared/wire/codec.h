// Frames to messages and back: the one room that sees generated Cap'n Proto code.
//
// What comes from outside is checked here, once: framing, version-independent header, counts, lengths and
// enums against base/limits/. What passes is a core value from there on. Version and cluster are left to the
// receiver to judge, since its answer (refused, with a reason) is a matter of protocol.
//
// Invariants
//  1. decode() never throws, never reads outside the frame, and allocates no more than the frame's size
//     in proportion.
//  2. The views in a decoded envelope live until the decoder's next decode() and as long as the frame.
//  3. encode() of a message within base/limits/ decodes to the same message.
//
// Thread rule: one owner each. Limits: limits::message_bytes a frame.
#pragma once

#include <memory>

#include "shared/base/bytes.h"
#include "shared/base/limits/messages.h"
#include "shared/base/result.h"
#include "shared/core/message.h"

namespace cidbus {

struct Envelope {
  Header header;
  Message message;
};

class Encoder {
 public:
  Encoder();
  ~Encoder();
  Encoder(Encoder&&) noexcept;
  Encoder& operator=(Encoder&&) noexcept;

  // The frame; valid until the next encode().
  ByteView encode(const Header& header, const Message& message);

 private:
  struct Buffers;
  std::unique_ptr<Buffers> buffers_;
};

class Decoder {
 public:
  // BadData with the reason, for a frame that is no message of this protocol.
  Result<Envelope> decode(ByteView frame);

 private:
  Bytes aligned_;  // a frame that did not start on a multiple of 8 is copied here: Cap'n Proto needs it
};

}  // namespace cidbus
