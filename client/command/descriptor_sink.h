// A descriptor that is open already, as a sink: standard output and standard error.
//
// Thread rule: one owner. Limits: none. Does not close it.
#pragma once

#include <string>

#include "shared/content/byte_stream.h"

namespace cidbus {

// What a program ends with when nobody reads what it prints: as a shell tells of one that SIGPIPE ended.
inline constexpr int reader_gone_code = 141;
// Whether a pipe or a terminal has lost its other end; for who may have nothing to write for long.
[[nodiscard]] bool is_reader_gone(int descriptor);

class DescriptorSink final : public ByteSink {
 public:
  // `name` is for messages.
  DescriptorSink(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}
  // TryAgain for a full disk; Failed when the reader has gone, without a message: there is nobody to miss it.
  Status write(ByteView bytes) override;
  // A write found that nobody reads it any longer.
  [[nodiscard]] bool reader_gone() const { return reader_gone_; }

 private:
  int descriptor_;
  std::string name_;
  bool reader_gone_ = false;
};

}  // namespace cidbus
