// For tests: bytes that are written, as text, until there is no more room.
#pragma once

#include <limits>
#include <string>

#include "shared/content/byte_stream.h"

namespace cidbus {

class MemorySink final : public ByteSink {
 public:
  Status write(ByteView bytes) override {
    if (bytes.size() > room) return fault(FaultKind::TryAgain, "no room");
    room -= bytes.size();
    text += as_text(bytes);
    return {};
  }
  std::string text;
  std::size_t room = std::numeric_limits<std::size_t>::max();
};

}  // namespace cidbus
