// A descriptor that is open already, as a sink: standard output and standard error.
//
// Thread rule: one owner. Limits: none. Does not close it.
#pragma once

#include <string>

#include "shared/content/byte_stream.h"

namespace cidbus {

class DescriptorSink final : public ByteSink {
 public:
  // `name` is for messages.
  DescriptorSink(int descriptor, std::string name) : descriptor_(descriptor), name_(std::move(name)) {}
  // TryAgain for a full disk; Failed when the reader has gone.
  Status write(ByteView bytes) override;

 private:
  int descriptor_;
  std::string name_;
};

}  // namespace cidbus
