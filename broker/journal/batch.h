// A batch: records written, sent and kept as one immutable byte string, the same on every broker.
//
// It is encoded once, by the leader that made it, and carried unchanged through journal, wire and standby; so
// a copy can be told right from wrong by (epoch, first index, length, checksum) alone, whoever holds it.
//
//   batch  := header record{count}
//   header := u32 crc        CRC32C of every byte of the batch after this field
//             u32 magic      "cjb1"
//             u32 length     bytes of the batch, header included
//             u32 count      records in it, at least one
//             u64 epoch      of the office it was made in
//             u64 first      index of its first record
//             u32 previous   crc of the batch before it; 0 before the first
//             u32 reserved   0
//   record := u32 length     bytes of the payload
//             u8  type       what the payload is; 0 is never used
//             u8  version    of the payload's format
//             u16 reserved   0
//             i64 time       milliseconds since 1970, from the leader's clock
//             u8  payload[length]
//
// All numbers are little-endian. `previous` is under `crc`, so a chain of batches is a chain of checksums.
//
// Invariants
//  1. A BatchView exists only of bytes whose checksum and whose record lengths were found right.
//  2. Indices within a batch follow one another: the k-th record has first + k.
//
// Pure and header-only: consensus, tasks and journal all stand on it. Thread rule: values; a view lives as
// long as its bytes. Limits: limits::batch_bytes and limits::batch_records.
#pragma once

#include <memory>
#include <optional>

#include "shared/base/bytes.h"
#include "shared/base/crc32c.h"
#include "shared/base/ensure.h"
#include "shared/base/ids.h"
#include "shared/base/limits/messages.h"
#include "shared/base/time.h"

namespace cidbus {

inline constexpr std::uint32_t batch_magic = 0x31626a63;  // "cjb1"
inline constexpr std::size_t batch_header_bytes = 40;
inline constexpr std::size_t record_header_bytes = 16;
// The longest payload of one record: it must fit into a batch of its own.
inline constexpr std::size_t record_payload_bytes =
    limits::batch_bytes - batch_header_bytes - record_header_bytes;

// A sealed batch. Shared because the disk's queue, the window of every peer and the state machine hold the
// same bytes at once and none of them knows who is last; they never change, so any thread may read them.
using BatchBytes = std::shared_ptr<const Bytes>;

// Where the next batch attaches: the newest record and the checksum of the batch it ends. Zeros before the
// first.
struct ChainEnd {
  LogIndex last;
  Epoch epoch;
  std::uint32_t crc = 0;
  friend bool operator==(const ChainEnd&, const ChainEnd&) = default;
};

struct BatchHeader {
  std::uint32_t crc = 0;
  std::uint32_t length = 0;  // bytes, header included
  std::uint32_t count = 0;
  Epoch epoch;
  LogIndex first;
  std::uint32_t previous = 0;

  [[nodiscard]] LogIndex last() const { return {first.value + count - 1}; }
  [[nodiscard]] ChainEnd end() const { return {last(), epoch, crc}; }
  // Whether this batch is the one that comes after `before`.
  [[nodiscard]] bool follows(const ChainEnd& before) const {
    return first == next(before.last) && previous == before.crc && epoch >= before.epoch;
  }
};

struct RecordView {
  LogIndex index;
  std::uint8_t type = 0;
  std::uint8_t version = 0;
  WallTime time;
  ByteView payload;
};

// The header that `bytes` begin with, if they can be the beginning of a batch. Nothing is proved: the
// checksum is BatchView::parse's.
inline std::optional<BatchHeader> peek_batch_header(ByteView bytes) {
  ByteReader reader(bytes.first(std::min(bytes.size(), batch_header_bytes)));
  BatchHeader header;
  header.crc = reader.number<std::uint32_t>();
  const auto magic = reader.number<std::uint32_t>();
  header.length = reader.number<std::uint32_t>();
  header.count = reader.number<std::uint32_t>();
  header.epoch = {reader.number<std::uint64_t>()};
  header.first = {reader.number<std::uint64_t>()};
  header.previous = reader.number<std::uint32_t>();
  const auto reserved = reader.number<std::uint32_t>();
  if (reader.failed() || magic != batch_magic || reserved != 0) return std::nullopt;
  if (header.length > limits::batch_bytes || header.count == 0 || header.count > limits::batch_records)
    return std::nullopt;
  if (header.length < batch_header_bytes + header.count * record_header_bytes) return std::nullopt;
  if (header.first.value == 0 || header.first.value > ~0ULL - header.count) return std::nullopt;
  return header;
}

class BatchView {
 public:
  // `bytes` must be one whole batch and nothing else; anything wrong with it gives nothing.
  static std::optional<BatchView> parse(ByteView bytes) {
    const auto header = peek_batch_header(bytes);
    if (!header || header->length != bytes.size() || crc32c(bytes.subspan(4)) != header->crc)
      return std::nullopt;
    ByteReader reader(bytes.subspan(batch_header_bytes));
    for (std::uint32_t k = 0; k < header->count; ++k) {
      const auto length = reader.number<std::uint32_t>();
      const auto type = reader.number<std::uint8_t>();
      reader.raw(record_header_bytes - 5);
      reader.raw(length);
      if (reader.failed() || type == 0) return std::nullopt;
    }
    if (!reader.complete()) return std::nullopt;
    return BatchView(*header, bytes);
  }

  [[nodiscard]] const BatchHeader& header() const { return header_; }
  [[nodiscard]] ByteView bytes() const { return bytes_; }

  // Forward only: `for (const RecordView& record : batch)`.
  class Iterator {
   public:
    using difference_type = std::ptrdiff_t;
    using value_type = RecordView;

    Iterator(ByteView rest, LogIndex index) : rest_(rest), index_(index) { read(); }
    const RecordView& operator*() const { return record_; }
    const RecordView* operator->() const { return &record_; }
    Iterator& operator++() {
      rest_ = rest_.subspan(record_header_bytes + record_.payload.size());
      index_ = next(index_);
      read();
      return *this;
    }
    bool operator==(const Iterator& other) const { return rest_.size() == other.rest_.size(); }

   private:
    void read() {
      if (rest_.empty()) return;
      ByteReader reader(rest_);
      const auto length = reader.number<std::uint32_t>();
      record_.type = reader.number<std::uint8_t>();
      record_.version = reader.number<std::uint8_t>();
      reader.number<std::uint16_t>();
      record_.time = {reader.number<std::int64_t>()};
      record_.payload = reader.raw(length);
      record_.index = index_;
    }
    ByteView rest_;
    LogIndex index_;
    RecordView record_;
  };
  [[nodiscard]] Iterator begin() const { return {bytes_.subspan(batch_header_bytes), header_.first}; }
  [[nodiscard]] Iterator end() const { return {ByteView{}, {}}; }

 private:
  BatchView(const BatchHeader& header, ByteView bytes) : header_(header), bytes_(bytes) {}
  BatchHeader header_;
  ByteView bytes_;
};

}  // namespace cidbus
