// The limit's own message: tasks, one behind the other, each its number, its size and its bytes.
//
// As little as a task can be: what a real protocol adds to it is what the comparison is to show.
//
// Thread rule: values. Limits: the frame's size.
#pragma once

#include <cstdint>
#include <cstring>

#include "shared/base/bytes.h"
#include "shared/base/ensure.h"

namespace cidbus::limit {

struct Task {
  std::uint64_t number = 0;
  ByteView payload;
};

class TaskBatch {
 public:
  void add(const Task& task) {
    const std::size_t at = bytes_.size();
    const auto size = static_cast<std::uint32_t>(task.payload.size());
    bytes_.resize(at + head_bytes + size);
    std::uint8_t* const to = bytes_.data() + at;
    std::memcpy(to, &task.number, sizeof(task.number));
    std::memcpy(to + sizeof(task.number), &size, sizeof(size));
    if (size > 0) std::memcpy(to + head_bytes, task.payload.data(), size);
    ++count_;
  }
  void clear() {
    bytes_.clear();
    count_ = 0;
  }
  [[nodiscard]] std::size_t count() const { return count_; }
  [[nodiscard]] ByteView bytes() const { return bytes_; }

 private:
  static constexpr std::size_t head_bytes = sizeof(std::uint64_t) + sizeof(std::uint32_t);
  Bytes bytes_;
  std::size_t count_ = 0;
};

// Calls `visit` with each task of a frame. A frame that is none of ours is a bug of this program.
template <typename Visit>
void for_each_task(ByteView frame, Visit visit) {
  ByteReader reader(frame);
  while (!reader.at_end()) {
    Task task;
    task.number = reader.number<std::uint64_t>();
    task.payload = reader.sized();
    ENSURE(!reader.failed(), "frame bytes", frame.size());
    visit(task);
  }
}

}  // namespace cidbus::limit
