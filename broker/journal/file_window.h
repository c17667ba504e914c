// FileWindow: reads a file by large steps and gives views of them, so that going through a journal costs a
// system call each few mebibytes and not each batch.
//
// Thread rule: one owner. Limits: memory for one window, or for the longest view asked for.
#pragma once

#include <algorithm>

#include "shared/base/bytes.h"
#include "shared/base/result.h"
#include "shared/io/file_system.h"

namespace cidbus {

class FileWindow {
 public:
  explicit FileWindow(File& file)
      : file_(file), step_(std::clamp<ByteCount>(file.size().value_or(0), 4096, 4 << 20)) {}

  // The bytes from `offset` on, fewer than `length` only where the file ends. Valid until the next call.
  Result<ByteView> view(ByteCount offset, ByteCount length) {
    if (offset < begin_ || offset + length > begin_ + held_) {
      buffer_.resize(std::max<ByteCount>(length, step_));
      held_ = 0;
      const auto count = file_.read(offset, buffer_);
      if (!count && buffer_.size() == length) return tl::unexpected(count.error());
      if (!count) return exactly(offset, length);
      begin_ = offset;
      held_ = *count;
    }
    const ByteView window = ByteView(buffer_).first(held_).subspan(offset - begin_);
    return window.first(std::min<ByteCount>(window.size(), length));
  }

 private:
  // A bad sector further on must not hide what can be read before it.
  Result<ByteView> exactly(ByteCount offset, ByteCount length) {
    const auto count = file_.read(offset, std::span(buffer_).first(length));
    if (!count) return tl::unexpected(count.error());
    begin_ = offset;
    held_ = *count;
    return ByteView(buffer_).first(held_);
  }

  File& file_;
  ByteCount step_;
  Bytes buffer_;
  ByteCount begin_ = 0;  // offset in the file of what buffer_ holds
  ByteCount held_ = 0;
};

}  // namespace cidbus
