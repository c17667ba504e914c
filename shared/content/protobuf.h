// The fields of a protobuf message, one after another, over borrowed bytes: all that dag-pb and UnixFS need.
//
//   message = field*      field = varint(number << 3 | wire type) value
//   value   = varint (type 0) | 8 bytes (1) | varint(length) bytes (2) | 4 bytes (5)
//   (https://protobuf.dev/programming-guides/encoding; groups, types 3 and 4, are refused)
//
// Varints are those of ByteReader: minimal, below 2^63. No encoder of blocks writes others.
//
// Thread rule: one owner. Limits: the bytes given; nothing is allocated.
#pragma once

#include <cstdint>
#include <optional>

#include "shared/base/bytes.h"

namespace cidbus {

enum class WireType : std::uint8_t { Varint = 0, Fixed64 = 1, Sized = 2, Fixed32 = 5 };

struct ProtobufField {
  std::uint64_t number = 0;
  WireType type = WireType::Varint;
  std::uint64_t value = 0;  // of Varint
  ByteView bytes;           // of Sized; borrowed

  [[nodiscard]] bool is(std::uint64_t wanted, WireType as) const { return number == wanted && type == as; }
};

class ProtobufReader {
 public:
  explicit ProtobufReader(ByteView message) : reader_(message) {}

  // Nothing at the end, and after a field that is not one: then failed().
  std::optional<ProtobufField> next() {
    if (failed() || reader_.at_end()) return std::nullopt;
    const std::uint64_t tag = reader_.varint();
    ProtobufField field{tag >> 3, static_cast<WireType>(tag & 7), 0, {}};
    switch (field.type) {
      case WireType::Varint:
        field.value = reader_.varint();
        break;
      case WireType::Fixed64:
        reader_.raw(8);
        break;
      case WireType::Sized:
        field.bytes = reader_.raw(reader_.varint());
        break;
      case WireType::Fixed32:
        reader_.raw(4);
        break;
      default:
        bad_field_ = true;
    }
    if (field.number == 0) bad_field_ = true;
    if (failed()) return std::nullopt;
    return field;
  }

  [[nodiscard]] bool failed() const { return bad_field_ || reader_.failed(); }

 private:
  ByteReader reader_;
  bool bad_field_ = false;
};

// Appends the fields of a message.
class ProtobufWriter {
 public:
  explicit ProtobufWriter(Bytes& out) : writer_(out) {}
  void number(std::uint64_t field, std::uint64_t value) {
    tag(field, WireType::Varint);
    writer_.varint(value);
  }
  void bytes(std::uint64_t field, ByteView value) {
    length(field, value.size());
    writer_.raw(value);
  }
  // Head of a field whose `size` bytes the caller appends next.
  void length(std::uint64_t field, std::uint64_t size) {
    tag(field, WireType::Sized);
    writer_.varint(size);
  }

 private:
  void tag(std::uint64_t field, WireType type) {
    writer_.varint(field << 3 | static_cast<std::uint64_t>(type));
  }
  ByteWriter writer_;
};

constexpr std::size_t varint_size(std::uint64_t value) {
  std::size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

}  // namespace cidbus
