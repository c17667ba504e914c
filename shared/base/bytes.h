// Bytes, and the little-endian reader and writer every hand-written format of the project is made with.
//
// ByteReader never throws and never reads past its end: after the first bad read it is `failed()` and every
// later read gives zero or empty, so a decoder reads all its fields and asks once.
//
// Thread rule: values. Limits: the caller's buffer.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace cidbus {

static_assert(std::endian::native == std::endian::little,
              "formats are written by memcpy; port the codecs first");

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;
using ByteCount = std::uint64_t;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes to_bytes(ByteView view) { return {view.begin(), view.end()}; }
inline bool equal(ByteView left, ByteView right) { return as_text(left) == as_text(right); }

// Appends to a buffer it borrows.
class ByteWriter {
 public:
  explicit ByteWriter(Bytes& out) : out_(out) {}

  template <typename Integer>
  requires std::is_integral_v<Integer>
  void number(Integer value) {
    const auto at = out_.size();
    out_.resize(at + sizeof(Integer));
    std::memcpy(out_.data() + at, &value, sizeof(Integer));
  }
  void raw(ByteView bytes) { out_.insert(out_.end(), bytes.begin(), bytes.end()); }
  // A 32-bit length, then the bytes.
  void sized(ByteView bytes) {
    number(static_cast<std::uint32_t>(bytes.size()));
    raw(bytes);
  }
  void sized(std::string_view text) { sized(as_bytes(text)); }
  // LEB128, unsigned, minimal (https://github.com/multiformats/unsigned-varint).
  void varint(std::uint64_t value) {
    while (value >= 0x80) {
      out_.push_back(static_cast<std::uint8_t>(value | 0x80));
      value >>= 7;
    }
    out_.push_back(static_cast<std::uint8_t>(value));
  }

 private:
  Bytes& out_;
};

class ByteReader {
 public:
  explicit ByteReader(ByteView in) : in_(in) {}

  template <typename Integer>
  requires std::is_integral_v<Integer> Integer number() {
    Integer value{};
    const ByteView bytes = raw(sizeof(Integer));
    if (!bytes.empty()) std::memcpy(&value, bytes.data(), sizeof(Integer));
    return value;
  }
  ByteView raw(std::size_t count) {
    if (failed_ || count > in_.size()) {
      failed_ = true;
      return {};
    }
    const ByteView bytes = in_.first(count);
    in_ = in_.subspan(count);
    return bytes;
  }
  ByteView sized() { return raw(number<std::uint32_t>()); }
  std::string_view sized_text() { return as_text(sized()); }
  // Refuses more than 9 bytes and encodings that are not minimal, as unsigned-varint asks.
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 63; shift += 7) {
      const auto byte = number<std::uint8_t>();
      if (failed_) return 0;
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (byte == 0 && shift != 0) break;
        return value;
      }
    }
    failed_ = true;
    return 0;
  }

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool at_end() const { return in_.empty(); }
  // What has not been read yet.
  [[nodiscard]] ByteView rest() const { return failed_ ? ByteView{} : in_; }
  // True when everything was there and nothing is left over.
  [[nodiscard]] bool complete() const { return !failed_ && in_.empty(); }

 private:
  ByteView in_;
  bool failed_ = false;
};

}  // namespace cidbus
