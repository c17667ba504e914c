// BatchBuilder: gathers records and seals them into a batch (batch.h), the one time a batch is encoded.
//
// A leader keeps one open while a sync runs and seals it when the sync is done (CONSENSUS R5): group commit
// without a timer.
//
// Invariants
//  1. What seal() gives is a batch that BatchView::parse accepts and that follows the chain end it was
//     made for.
//  2. An index that append() gave is the record's for good: nothing is reordered or dropped.
//
// Pure and header-only. Thread rule: one owner. Limits: has_room() keeps a batch within limits::batch_bytes
// and limits::batch_records; a payload has at most record_payload_bytes.
#pragma once

#include <cstring>
#include <utility>

#include "broker/journal/batch.h"
#include "shared/base/limits/messages.h"

namespace cidbus {

class BatchBuilder {
 public:
  // A batch of this office that follows `before`. REQUIRES: epoch >= before.epoch.
  BatchBuilder(Epoch epoch, const ChainEnd& before) : epoch_(epoch), before_(before) {
    ENSURE(epoch >= before.epoch, "epoch", epoch.value, "after", before.epoch.value);
    bytes_.resize(batch_header_bytes);
  }

  // Whether one more record with a payload of so many bytes fits.
  [[nodiscard]] bool has_room(std::size_t payload_bytes) const {
    return count_ < limits::batch_records && payload_bytes <= record_payload_bytes &&
           bytes_.size() + record_header_bytes + payload_bytes <= limits::batch_bytes;
  }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::uint32_t count() const { return count_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_.size(); }
  // The index the next record gets.
  [[nodiscard]] LogIndex next_index() const { return {before_.last.value + count_ + 1}; }

  // REQUIRES: has_room(payload.size()), type != 0. Gives the record's index.
  LogIndex append(std::uint8_t type, std::uint8_t version, WallTime time, ByteView payload) {
    ENSURE(has_room(payload.size()), "payload", payload.size(), "bytes", bytes_.size(), "count", count_);
    ENSURE(type != 0);
    const LogIndex index = next_index();
    const std::size_t at = bytes_.size();
    const auto size = static_cast<std::uint32_t>(payload.size());
    bytes_.resize(at + record_header_bytes + size);  // once: this is done for every record
    std::uint8_t* const head = bytes_.data() + at;
    std::memcpy(head, &size, sizeof(size));
    head[4] = type;
    head[5] = version;
    std::memcpy(head + 8, &time.milliseconds, sizeof(time.milliseconds));
    if (size > 0) std::memcpy(head + record_header_bytes, payload.data(), size);
    ++count_;
    return index;
  }

  // Ends this batch and gives its bytes; the builder goes on with the one that follows it, in the same
  // office. REQUIRES: !empty().
  BatchBytes seal() {
    ENSURE(count_ != 0);
    Bytes head;
    ByteWriter writer(head);
    writer.number(std::uint32_t{0});
    writer.number(batch_magic);
    writer.number(static_cast<std::uint32_t>(bytes_.size()));
    writer.number(count_);
    writer.number(epoch_.value);
    writer.number(before_.last.value + 1);
    writer.number(before_.crc);
    writer.number(std::uint32_t{0});
    std::memcpy(bytes_.data(), head.data(), head.size());
    const std::uint32_t crc = crc32c(ByteView(bytes_).subspan(4));
    std::memcpy(bytes_.data(), &crc, sizeof crc);
    before_ = {{before_.last.value + count_}, epoch_, crc};
    count_ = 0;
    return std::make_shared<const Bytes>(take_bytes());
  }

  // The end of the newest sealed batch: what the open one will follow.
  [[nodiscard]] const ChainEnd& before() const { return before_; }

 private:
  // A large batch is given away, and the next one gets as much room at once: no growing, byte by byte copied
  // again, on the way of every task. A small one is copied out of that room, which stays.
  Bytes take_bytes() {
    const bool is_small = bytes_.size() * 2 < bytes_.capacity();
    Bytes taken = is_small ? Bytes(bytes_) : std::exchange(bytes_, {});
    bytes_.clear();
    if (!is_small) bytes_.reserve(taken.size());
    bytes_.resize(batch_header_bytes);
    return taken;
  }

  Epoch epoch_;
  ChainEnd before_;
  Bytes bytes_;  // room for the header, then the records
  std::uint32_t count_ = 0;
};

}  // namespace cidbus
