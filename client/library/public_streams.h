// A program's functions that give and take bytes, as streams of the rooms below. They borrow the function.
//
// Thread rule: one thread. Limits: the caller's buffer.
#pragma once

#include <functional>
#include <string_view>

#include "client/library/public_values.h"
#include "shared/content/byte_stream.h"

namespace cidbus::v1 {

using PublicSource = std::function<Result<std::size_t>(char* buffer, std::size_t size)>;
using PublicSink = std::function<Status(std::string_view bytes)>;

class FunctionSource final : public ByteSource {
 public:
  explicit FunctionSource(const PublicSource& source) : source_(source) {}
  cidbus::Result<std::size_t> read(std::span<std::uint8_t> buffer) override {
    const auto count = source_(reinterpret_cast<char*>(buffer.data()), buffer.size());
    if (!count) return tl::unexpected(to_internal(count.error()));
    if (*count > buffer.size())
      return cidbus::fault(cidbus::FaultKind::BadUsage, "the source claims more than the buffer holds");
    return *count;
  }

 private:
  const PublicSource& source_;
};

class FunctionSink final : public ByteSink {
 public:
  explicit FunctionSink(const PublicSink& sink) : sink_(sink) {}
  cidbus::Status write(ByteView bytes) override { return to_internal(sink_(as_text(bytes))); }

 private:
  const PublicSink& sink_;
};

}  // namespace cidbus::v1
