// The two parts of a task that brokers carry unread: `work` and `result` (schema/task.capnp).
//
// Thread rule: functions of their arguments. Limits: limits::inputs, parameters, payload_bytes, result_bytes.
#pragma once

#include <memory>

#include "shared/base/bytes.h"
#include "shared/base/limits/tasks.h"
#include "shared/base/result.h"
#include "shared/core/task.h"

namespace cidbus {

Bytes encode_work(const Work& work);
Bytes encode_result(const TaskResult& result);

// The decoded value. Its views live as long as this and the bytes it was decoded from: those that lie where
// words may are read there, others are copied.
template <typename Value>
class Decoded {
 public:
  Decoded(std::unique_ptr<std::uint64_t[]> words, Value value)
      : words_(std::move(words)), value_(std::move(value)) {}
  const Value& operator*() const { return value_; }
  const Value* operator->() const { return &value_; }

 private:
  std::unique_ptr<std::uint64_t[]> words_;
  Value value_;
};

Result<Decoded<Work>> decode_work(ByteView bytes);

// What a work asks for: all but the trace, which differs from one try to submit to the next. Works that ask
// for the same give the same bytes; one that is damaged gives its own.
Bytes asked_by(ByteView work);
Result<Decoded<TaskResult>> decode_result(ByteView bytes);

}  // namespace cidbus
