// Where content comes from and where it goes to, a buffer at a time: files, sockets, tests.
//
// Thread rule: each is used by one thread at a time; calls may block, so never on a reactor.
// Limits: the caller's buffer.
#pragma once

#include <algorithm>
#include <cstring>
#include <span>

#include "shared/base/bytes.h"
#include "shared/base/result.h"

namespace cidbus {

class ByteSource {
 public:
  virtual ~ByteSource() = default;
  // Fills some of the buffer and says how much; 0 only at the end. REQUIRES: the buffer is not empty.
  virtual Result<std::size_t> read(std::span<std::uint8_t> buffer) = 0;
};

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  // Takes all of the bytes before it returns; they are borrowed. A fault ends the stream.
  virtual Status write(ByteView bytes) = 0;
};

// Bytes in memory as a source; borrows them.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(ByteView bytes) : rest_(bytes) {}
  Result<std::size_t> read(std::span<std::uint8_t> buffer) override {
    const std::size_t count = std::min(buffer.size(), rest_.size());
    if (count > 0) std::memcpy(buffer.data(), rest_.data(), count);
    rest_ = rest_.subspan(count);
    return count;
  }

 private:
  ByteView rest_;
};

}  // namespace cidbus
